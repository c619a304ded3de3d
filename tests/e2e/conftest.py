"""Shows the tails of all logs beside a failed test."""
import cluster
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for one in cluster.live_clusters:
            for title, text in one.tails():
                report.sections.append((f"log of {title}", text))
