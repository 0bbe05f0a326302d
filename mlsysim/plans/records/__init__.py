"""What is planned: jobs, the nodes they share, and what a planner insists on."""
