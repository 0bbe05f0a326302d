"""The live page: a question that is answered again as its limits move.

It stands on NiceGUI, which was chosen among NiceGUI, Panel, Shiny for Python, Dash and Streamlit
because of what this page needs:

- a page is a function that runs once per tab, so that tabs share nothing (Streamlit runs the whole
  script again at each change; Dash keeps the state in the browser);
- handlers are coroutines on one event loop, so that an answer under way can be cancelled;
- everything the browser loads comes with the package, fonts and charts too, and nothing from a
  network (Panel and Dash can be told so, resource by resource);
- it is typed, has releases every few weeks, and is an ordinary ASGI application, in front of which
  a gate can stand (`mlsysim.live.gate`).

The page itself never searches.  Each tab has a process of its own (`mlsysim.worker`) that does
so, one job at a time: it can be asked to end, and be ended.  What a tab edits is the text of a
question file (`mlsysim.live.editing`): what is answered, what is exported and what
``mlsysim solve`` would read are the same text.
"""
