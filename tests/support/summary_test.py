#!/usr/bin/env python3
"""The summary is what decides whether a run passed, so it is tested on made-up reports."""
import pathlib
import tempfile
import unittest

from summary import summarize

CTEST = """<testsuite>
<testcase name="good" classname="good" status="run"/>
<testcase name="bad" classname="bad" status="fail"><failure message="1"/></testcase>
<testcase name="crashed" classname="crashed" status="fail"><failure message="Subprocess aborted"/></testcase>
<testcase name="script" classname="script" status="run"/>
<testcase name="absent" classname="absent" status="notrun"><skipped message="Unable to find executable"/></testcase>
<testcase name="declined" classname="declined" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>
</testsuite>"""
PROGRAMS = {
    "good": '<testsuites><testsuite><testcase name="A" classname="S" status="run"/><testcase name="B" classname="S" result="skipped"><skipped message=""/></testcase><testcase name="DISABLED_C" classname="S" status="notrun" result="suppressed"/></testsuite></testsuites>',
    "bad": '<testsuites><testsuite><testcase name="A" classname="S"/><testcase name="B" classname="S"><failure/></testcase></testsuite></testsuites>',
    "crashed": '<testsuites><testsuite><testcase name="A" classname="S"/></testsuite></testsuites>',
}


class SummaryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results = pathlib.Path(folder.name)

    def outcomes(self, *stages):
        return dict(summarize(self.results, stages))

    def write(self, programs=PROGRAMS):
        (self.results / "ctest.xml").write_text(CTEST)
        for name, text in programs.items():
            (self.results / f"{name}.xml").write_text(text)

    def test_cases_are_counted_one_by_one(self):
        self.write()
        self.assertEqual(self.outcomes(), {
            "good: S.A": "passed", "good: S.B": "skipped", "good: S.DISABLED_C": "skipped", "bad: S.A": "passed", "bad: S.B": "failed", "crashed: S.A": "passed",
            "crashed (crashed or timed out)": "failed", "script": "passed", "absent": "failed", "declined": "skipped"})

    def test_program_without_a_readable_report_is_one_case(self):
        self.write({"bad": "<testsuites><testsu"})
        self.assertEqual((self.outcomes()["good"], self.outcomes()["bad"]), ("passed", "failed"))

    def test_a_run_without_tests_failed(self):
        self.assertEqual(self.outcomes(), {"no test ran": "failed"})

    def test_a_stage_that_failed_counts(self):
        self.assertEqual(self.outcomes("building"), {"building": "failed"})


if __name__ == "__main__":
    unittest.main()
