"""What `make bench` measures: whole processes, from start to end, on models as they are found and on generated ones.

    works ──► builds, scaling, inference ──► measure ──► probe
      │         one Row a case                 Usage       inside the measured process
      └──► table, document, chart

A work is a name and what it measures; `python -m bench NAME...` chooses. Nothing is imported here: the probe runs in
processes whose time and memory count.
"""
