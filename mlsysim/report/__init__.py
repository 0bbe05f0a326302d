"""The answer, told whole: as text, as JSON and CSV, in a notebook, as a page of HTML.

`report_of` builds one frozen `Report` from a question and its answer; every
form is written from that record.
"""

from mlsysim.report.building import report_of as report_of
from mlsysim.report.cloud import Cloud as Cloud
from mlsysim.report.cloud import cloud_of as cloud_of
from mlsysim.report.data import schema as schema
from mlsysim.report.report import Report as Report
from mlsysim.report.what_if import evaluated_report as evaluated_report
from mlsysim.report.what_if import report_at as report_at
from mlsysim.report.what_if import why_not_report as why_not_report
