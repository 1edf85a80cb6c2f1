"""The configuration in deploy/ loads, agrees with itself and does what docs/deploy.md says (issue 5, "Deployment")."""

from __future__ import annotations

import importlib.util
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from dagster import DagsterInstance, DagsterRunStatus, job, op
from dagster._core.instance.config import ConcurrencyConfig
from dagster._core.instance.ref import InstanceRef
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.storage.tags import GRPC_INFO_TAG, WILL_RETRY_TAG
from dagster._core.test_utils import create_run_for_test
from dagster._core.workspace.load import (
    load_workspace_process_context_from_yaml_paths,
    location_origins_from_yaml_paths,
)
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster._grpc.client import DagsterGrpcClient
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import construct_dagster_k8s_job
from psycopg.conninfo import conninfo_to_dict
from typer.main import get_command

from agentp.cli import app
from agentp.settings import PROJECT_ROOT, Settings

DEPLOY = PROJECT_ROOT / "deploy"
MACHINE, CLUSTER, KUBERNETES = DEPLOY / "machine", DEPLOY / "cluster", DEPLOY / "cluster" / "kubernetes"
UNITS = sorted([*MACHINE.glob("*.service"), *MACHINE.glob("*.timer")])
EXAMPLE = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (DEPLOY / "agentp.env.example").read_text(), re.MULTILINE))
GUIDE = (PROJECT_ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
FILES = [path for path in DEPLOY.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
SHARED = ("run_monitoring", "run_retries", "schedules", "sensors", "backfills", "retention", "telemetry")

each_configuration = pytest.mark.parametrize("folder", [MACHINE, CLUSTER, KUBERNETES], ids=lambda path: str(path.name))


@op
def _rest() -> None:
    pass


@job
def _resting() -> None:
    _rest()


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that the example file describes."""
    for name, value in EXAMPLE.items():
        monkeypatch.setenv(name, value)


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def read_unit(path: Path) -> ConfigParser:
    unit = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(path)
    return unit


def read_commands() -> list[list[str]]:
    """Every command that units, the compose file and the Dockerfile start, as words."""
    texts = [line.split("=", 1)[1] for path in UNITS for line in path.read_text().splitlines() if line[:4] == "Exec"]
    texts += [str(service["command"]) for service in read_yaml(CLUSTER / "compose.yaml")["services"].values()
              if "command" in service]  # fmt: skip
    texts += re.findall(r"^RUN (agentp .*)$", (CLUSTER / "Dockerfile").read_text(), re.MULTILINE)
    return [text.split() for text in texts]


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch, server_url: str) -> Iterator[None]:
    """Dagster's storage as docs/deploy.md makes it, for the role and in the database of storage.sql."""
    name = f"dagster_test_{secrets.token_hex(6)}"
    statements = re.sub(r"--.*", "", (MACHINE / "storage.sql").read_text()).replace("dagster", name).split(";")
    with psycopg.connect(server_url, autocommit=True) as connection:
        for statement in filter(str.strip, statements):
            connection.execute(statement.encode())
        connection.execute(f"alter role {name} password 'CHANGE_ME'")
        parts = conninfo_to_dict(server_url)
        given = {"HOST": parts["host"], "PORT": parts["port"], "DATABASE": name, "USERNAME": name}
        for key, value in given.items():
            monkeypatch.setenv(f"DAGSTER_PG_{key}", str(value))
        yield
        connection.execute(f"drop database {name} with (force)")
        connection.execute(f"drop role {name}")


@each_configuration
def test_dagster_takes_the_configuration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.config.load_incluster_config", lambda: None)
    found = InstanceRef.from_dir(str(folder))
    launcher = {MACHINE: "DefaultRunLauncher", CLUSTER: "DockerRunLauncher", KUBERNETES: "K8sRunLauncher"}[folder]
    assert found.run_launcher_data is not None
    assert type(found.run_launcher_data.rehydrate(as_type=object)).__name__ == launcher
    settings: Any = found.settings
    assert settings["telemetry"] == {"enabled": False}
    assert settings["run_monitoring"]["max_resume_run_attempts"] == 0
    assert settings["run_retries"] == {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False}


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("folder", [MACHINE, CLUSTER], ids=lambda path: str(path.name))
def test_a_run_is_kept_in_postgres(folder: Path) -> None:
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(folder))) as instance:
        run = instance.create_run_for_job(_resting, tags={"agentp/target": "marts"})
        assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(folder))) as again:
        found = again.get_run_by_id(run.run_id)
    assert found is not None
    assert found.tags["agentp/target"] == "marts"


@each_configuration
def test_a_second_run_of_the_same_target_waits(folder: Path) -> None:
    queue = {k: v for k, v in read_yaml(folder / "dagster.yaml").items() if k in ("concurrency", "run_coordinator")}
    location = location_origins_from_yaml_paths([str(MACHINE / "workspace.yaml")])[0]
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), "daily")
    with DagsterInstance.local_temp(overrides=queue) as instance:
        create_run_for_test(instance, tags={"agentp/target": "marts"}, status=DagsterRunStatus.STARTED)
        for target in ("marts", "another", "another"):
            tags, status = {"agentp/target": target}, DagsterRunStatus.QUEUED
            create_run_for_test(instance, tags=tags, status=status, remote_job_origin=origin)
        settings: ConcurrencyConfig = instance.get_concurrency_config()
        due = QueuedRunCoordinatorDaemon(interval_seconds=1)._get_runs_to_dequeue(instance, settings, None)
        assert [run.tags["agentp/target"] for run in due] == ["another"]


@pytest.mark.usefixtures("storage")
def test_what_a_killed_server_left_behind_is_closed_and_tried_again() -> None:
    spec = importlib.util.spec_from_file_location("close_runs", MACHINE / "close_runs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(MACHINE))) as instance:
        left = create_run_for_test(instance, tags={GRPC_INFO_TAG: "{}"}, status=DagsterRunStatus.STARTED)
        unwanted = create_run_for_test(instance, tags={GRPC_INFO_TAG: "{}"}, status=DagsterRunStatus.CANCELING)
        by_hand = create_run_for_test(instance, status=DagsterRunStatus.STARTED)
        began = datetime.now(tz=UTC)
        of_this_server = create_run_for_test(instance, tags={GRPC_INFO_TAG: "{}"}, status=DagsterRunStatus.STARTED)
        assert set(module.close_runs(instance, server_began=began)) == {left.run_id, unwanted.run_id}
        found = {run.run_id: run for run in instance.get_runs()}
    assert found[left.run_id].status == DagsterRunStatus.FAILURE
    assert found[left.run_id].tags[WILL_RETRY_TAG] == "true"
    assert found[unwanted.run_id].status == DagsterRunStatus.CANCELED
    assert {found[run.run_id].status for run in (by_hand, of_this_server)} == {DagsterRunStatus.STARTED}
    texts = (MACHINE / "agentp-code.service").read_text()
    # Before the server serves, the daemon could not load the job, and would never try again.
    assert "ExecStartPost=/opt/agentp/.venv/bin/python /opt/agentp/deploy/machine/close_runs.py ${MAINPID}\n" in texts
    assert texts.index("grpc-health-check") < texts.index("close_runs.py")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A code server with a job that takes two seconds, started as agentp-code.service starts one."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    coordinator = "{module: dagster._core.run_coordinator, class: DefaultRunCoordinator, config: {}}"
    (tmp_path / "dagster.yaml").write_text(f"run_coordinator: {coordinator}\ntelemetry: {{enabled: false}}\n")
    (tmp_path / "workspace.yaml").write_text(f"load_from: [{{grpc_server: {{socket: {tmp_path}/code}}}}]\n")
    (tmp_path / "napping.py").write_text(
        "import time\nimport dagster\n\n"
        "@dagster.op\ndef nap():\n    time.sleep(2)\n\n"
        "@dagster.job(executor_def=dagster.in_process_executor)\ndef napping():\n    nap()\n"
    )
    start = [sys.executable, "-m", "dagster", "api", "grpc", "--socket", f"{tmp_path}/code", "-f", "napping.py"]
    # Dagster does at SIGTERM what it does at SIGINT, which whoever was started in the background ignores.
    process = subprocess.Popen(start, cwd=tmp_path, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_stop_lets_the_run_at_work_end(server: subprocess.Popen[bytes], tmp_path: Path) -> None:
    client = DagsterGrpcClient(socket=str(tmp_path / "code"))
    while server.poll() is None and client.health_check_query() != "SERVING":  # type: ignore[no-untyped-call]
        time.sleep(0.1)
    workspace_file = [str(tmp_path / "workspace.yaml")]
    with (
        DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as instance,
        load_workspace_process_context_from_yaml_paths(instance, workspace_file) as process,
    ):
        workspace = process.create_request_context()
        job_found = workspace.code_locations[0].get_repository("__repository__napping").get_full_job("napping")
        run = create_run_for_test(
            instance, "napping", remote_job_origin=job_found.get_remote_origin(),
            job_code_origin=job_found.get_python_origin(),
        )  # fmt: skip
        instance.launch_run(run.run_id, workspace)
        server.send_signal(signal.SIGTERM)  # KillMode=mixed: to the server, not to its children
        assert server.wait(timeout=240) == 0
        assert [found.status for found in instance.get_runs()] == [DagsterRunStatus.SUCCESS]
    unit = read_unit(MACHINE / "agentp-code.service")
    assert (unit["Service"]["KillMode"], unit["Service"]["KillSignal"]) == ("mixed", "SIGTERM")


def test_workspaces_name_one_location() -> None:
    paths = [MACHINE / "workspace.yaml", CLUSTER / "workspace.yaml", DEPLOY / "development" / "workspace.yaml"]
    machine, cluster, development = (location_origins_from_yaml_paths([str(path)])[0] for path in paths)
    assert isinstance(machine, GrpcServerCodeLocationOrigin)
    assert isinstance(cluster, GrpcServerCodeLocationOrigin)
    assert isinstance(development, ManagedGrpcPythonEnvCodeLocationOrigin)
    assert {machine.location_name, cluster.location_name, development.location_name} == {"agentp"}
    assert development.loadable_target_origin.module_name == "orchestration.definitions"
    start = (MACHINE / "agentp-code.service").read_text()
    assert f"--host {machine.host} --port {machine.port} --module-name orchestration.definitions" in start
    services = read_yaml(CLUSTER / "compose.yaml")["services"]
    assert f"--port {cluster.port} --module-name orchestration.definitions" in services[cluster.host]["command"]


def test_units_are_sound(tmp_path: Path) -> None:
    for path in UNITS:
        text = path.read_text(encoding="utf-8")
        text = text.replace("/opt/agentp/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / path.name).write_text(text.replace("/opt/agentp", str(PROJECT_ROOT)), encoding="utf-8")
        if path.suffix == ".service":
            service = read_unit(path)["Service"]
            assert (service["User"], service["EnvironmentFile"]) == ("agentp", "/etc/agentp/agentp.env"), path.name
            assert (service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "strict"), path.name
            assert (service["Restart"], service["KillMode"]) == ("on-failure", "mixed"), path.name
    if shutil.which("systemd-analyze"):
        command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / path.name) for path in UNITS)]
        told = subprocess.run(command, env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, capture_output=True, text=True)
        assert "agentp-" not in told.stderr, told.stderr


def test_what_is_started_exists() -> None:
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    for words in read_commands():
        for word in words:
            if word.startswith("/opt/agentp/.venv/bin/"):
                assert (Path(sys.executable).parent / Path(word).name).exists(), word
            elif word.startswith("/opt/agentp/"):
                assert (PROJECT_ROOT / word.removeprefix("/opt/agentp/")).exists(), word
        if Path(words[0]).name == "agentp":
            assert words[1] in known, words
        else:
            assert words[0] == "/bin/sh" or shutil.which(Path(words[0]).name, path=str(Path(sys.executable).parent))


def test_every_variable_is_declared_and_every_setting_has_its_place() -> None:
    declared, own = set(EXAMPLE), {f"AGENTP_{name.upper()}" for name in Settings.model_fields}
    for path in FILES:
        used = set(re.findall(r"\b(?:AGENTP|DAGSTER|DOCKER)_[A-Z_]+\b", path.read_text(encoding="utf-8")))
        assert used <= declared, (path.name, used - declared)
    assert {name for name in declared if name.startswith("AGENTP_")} == own - {"AGENTP_PORT"}
    assert Settings().database_url == EXAMPLE["AGENTP_DATABASE_URL"]  # the example is valid as it is
    handed_on = set(read_yaml(CLUSTER / "dagster.yaml")["run_launcher"]["config"]["env_vars"])
    assert handed_on == {name for name in declared if not name.startswith("DOCKER")} - {"DAGSTER_CURRENT_IMAGE"}


def test_no_file_holds_a_secret() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for name, value in re.findall(r"(?i)(\w*(?:password|secret_key|token))[ ]?[:=][ ]?([^\s:]\S+)", text):
            assert value.startswith(("CHANGE_ME", "${", "{env:")), (path.name, name)
        assert all(word == "CHANGE_ME" for word in re.findall(r"://[^:/\s]+:([^@/\s]+)@", text)), path.name
    for line in (CLUSTER / "Dockerfile").read_text(encoding="utf-8").splitlines():
        assert not line.startswith("ARG"), "What is built with an argument keeps it in a layer."
    assert ".env" in (CLUSTER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()


def test_compose_starts_what_dagster_needs() -> None:
    found = read_yaml(CLUSTER / "compose.yaml")
    launcher = read_yaml(CLUSTER / "dagster.yaml")["run_launcher"]["config"]
    assert set(found["services"]) == {"storage", "code", "webserver", "daemon"}
    assert found["networks"]["default"]["name"] == launcher["network"]
    assert launcher["container_kwargs"]["volumes"][0].split(":")[0] == found["volumes"]["compute-logs"]["name"]
    assert found["services"]["webserver"]["ports"] == ["127.0.0.1:3000:3000"]


def test_the_three_configurations_agree() -> None:
    machine, cluster, rendered = (read_yaml(path / "dagster.yaml") for path in (MACHINE, CLUSTER, KUBERNETES))
    limits = machine["concurrency"]["runs"]
    assert cluster["concurrency"]["runs"] == rendered["run_coordinator"]["config"] == limits
    rendered["run_monitoring"].pop("free_slots_after_run_end_seconds")
    for key in SHARED:
        assert machine[key] == cluster[key] == rendered[key], key


def test_the_chart_makes_this_configuration_of_the_values() -> None:
    values, made = read_yaml(KUBERNETES / "values.yaml"), read_yaml(KUBERNETES / "dagster.yaml")
    daemon, launcher = values["dagsterDaemon"], values["runLauncher"]["config"]["k8sRunLauncher"]
    for key, given in (
        ("run_monitoring", daemon["runMonitoring"]),
        ("run_retries", daemon["runRetries"]),
        ("schedules", daemon["schedules"]),
        ("sensors", daemon["sensors"]),
        ("backfills", daemon["backfills"]),
        ("telemetry", values["telemetry"]),
    ):
        assert made[key] == {_snake(name): value for name, value in given.items()}, key
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert made["run_coordinator"]["config"] == {_snake(name): value for name, value in queue.items()}
    kept = {name: {"purge_after_days": values["retention"][name]["purgeAfterDays"]} for name in ("schedule", "sensor")}
    assert made["retention"] == kept
    expected = {_snake(name): value for name, value in launcher.items() if value and name != "runK8sConfig"}
    expected |= {
        "env_secrets": [secret["name"] for secret in launcher["envSecrets"]],
        "run_k8s_config": {_snake(name): value for name, value in launcher["runK8sConfig"].items()},
        "service_account_name": "agentp-dagster",
        "dagster_home": values["global"]["dagsterHome"],
        "instance_config_map": "agentp-dagster-instance",
        "postgres_password_secret": values["global"]["postgresqlSecretName"],
    }
    assert made["run_launcher"]["config"] == expected
    server, storage = values["postgresql"], made["run_storage"]["config"]["postgres_db"]
    assert made["event_log_storage"]["config"] == made["schedule_storage"]["config"] == made["run_storage"]["config"]
    for name in ("Username", "Database", "Params", "Scheme"):
        assert storage[{"Database": "db_name"}.get(name, name.lower())] == server[f"postgresql{name}"]
    assert (storage["hostname"], storage["port"]) == (server["postgresqlHost"], server["service"]["port"])


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def test_a_pod_of_a_run_has_its_secrets_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.config.load_incluster_config", lambda: None)
    data = InstanceRef.from_dir(str(KUBERNETES)).run_launcher_data
    assert data is not None
    launcher = data.rehydrate(as_type=K8sRunLauncher)
    with DagsterInstance.local_temp() as instance:
        context = launcher.get_container_context_for_run(create_run_for_test(instance))
    pod = construct_dagster_k8s_job(
        context.get_k8s_job_config("agentp:0.1.0", launcher), [], "run", context.run_k8s_config
    ).spec.template.spec
    container = pod.containers[0]
    assert [source.secret_ref.name for source in container.env_from] == ["agentp-env"]
    assert "DAGSTER_PG_PASSWORD" in [variable.name for variable in container.env]
    assert container.resources.limits == {"memory": "4Gi"}
    assert pod.security_context.run_as_non_root
    assert pod.termination_grace_period_seconds == 60


def test_the_guide_names_what_there_is() -> None:
    for name in set(re.findall(r"(?:deploy|docs|scripts|tests)/[\w./-]*[\w/](?![\w-]*\{)", GUIDE)):
        assert (PROJECT_ROOT / name).exists(), name
    for name in set(re.findall(r"[\w-]+\.(?:service|timer|cron|tmpfiles)\b", GUIDE)) - {"postgresql.service"}:
        assert (MACHINE / name).exists(), name
    own = {f"AGENTP_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bAGENTP_[A-Z_]+\b", GUIDE)) == own
    assert all(path.name in GUIDE for path in FILES), [path.name for path in FILES if path.name not in GUIDE]
