"""A job under the `monitor` decorator of Sentry's SDK.

    monitored.py DSN ok|error|in_progress

As `in_progress` it dies in the middle of its work, as jobs do.
"""

import os
import sys

import sentry_sdk
from sentry_sdk.crons import monitor

dsn, ending = sys.argv[1:]
sentry_sdk.init(dsn, release="clients@1.0", traces_sample_rate=1.0)


@monitor(
    monitor_slug="python-job",
    monitor_config={
        "schedule": {"type": "crontab", "value": "0 4 * * *"},
        "timezone": "Europe/Vienna",
        "checkin_margin": 5,
        "max_runtime": 20,
        "failure_issue_threshold": 1,
        "recovery_threshold": 1,
    },
)
def job():
    if ending == "in_progress":
        sentry_sdk.flush()
        os._exit(0)
    if ending == "error":
        raise RuntimeError("the disk is full")


try:
    job()
except RuntimeError as error:
    sentry_sdk.capture_exception(error)
sentry_sdk.flush()
