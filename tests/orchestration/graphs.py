"""The asset graph as text that people can compare: `python -m tests.orchestration.graphs` renews graph.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg

GRAPH = Path(__file__).with_name("graph.json")


def describe_definitions(defs: dg.Definitions) -> dict[str, Any]:
    """Return assets, checks, jobs, schedules and sensors, each by name, with what a change of theirs would show in."""
    repository = defs.get_repository_def()
    graph = repository.asset_graph
    assets = {
        key.to_user_string(): {
            "group": node.group_name,
            "reads": sorted(parent.to_user_string() for parent in node.parent_keys),
            "is_built": node.is_executable,
            "owners": list(node.owners),
            "by_day": node.partitions_def is not None,
        }
        for key in graph.get_all_asset_keys()
        for node in [graph.get(key)]
    }
    checks: dict[str, list[str]] = {}
    for key in graph.asset_check_keys:
        spec = graph.get(key)
        mark = " (blocking)" if spec.blocking else ""
        checks.setdefault(key.asset_key.to_user_string(), []).append(f"{key.name}{mark}")
    return {
        "assets": dict(sorted(assets.items())),
        "checks": {asset: sorted(names) for asset, names in sorted(checks.items())},
        "jobs": {
            job.name: {
                "steps": sorted(node.name for node in job.graph.nodes),
                "assets": len(job.asset_layer.selected_asset_keys),
                "checks": len(job.asset_layer.asset_graph.asset_check_keys),
                "tags": dict(sorted(job.tags.items())),
                "by_day": job.partitions_def is not None,
            }
            for job in sorted(repository.get_all_jobs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "schedules": {
            schedule.name: {
                "cron": schedule.cron_schedule,
                "timezone": schedule.execution_timezone,
                "job": schedule.job_name,
                "status": schedule.default_status.value,
            }
            for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
        },
        "sensors": {
            sensor.name: {
                "seconds": sensor.minimum_interval_seconds,
                "kind": sensor.sensor_type.value,
                "status": sensor.default_status.value,
            }
            for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
        },
    }


if __name__ == "__main__":
    from agentp.settings import Settings
    from orchestration.loading import load_definitions

    found = describe_definitions(load_definitions(Settings(database_url="postgresql://nobody@127.0.0.1:1/nowhere")))
    GRAPH.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
