"""Containers, Kubernetes and the workflow: what they name exists, and they fit their schemas."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text())
FILES = sorted(DOCKER.glob("kubernetes/*.yaml"))
ROLES = set(re.findall(r"^ {4}([a-z]+)\)", (DOCKER / "role").read_text(), re.MULTILINE))
STAGES = set(re.findall(r"^FROM \S+ AS (\S+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE))
OURS = ("web", "gate", "live", "worker", "beat", "migrate")


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in FILES:
        for document in yaml.safe_load_all(path.read_text()):
            yield path.name, document


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pod that is described, with the name of its file."""
    for name, document in documents():
        spec = document.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield name, spec["template"]["spec"]


def containers() -> list[dict[str, Any]]:
    return [
        one for _, pod in pods() for part in ("initContainers", "containers") for one in pod.get(part, ())
    ]


def test_every_role_of_the_procfile_has_a_service_a_deployment_and_an_entry_point() -> None:
    procfile = {line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()} - {"release"}
    deployed = {
        document["metadata"]["name"] for _, document in documents() if document["kind"] == "Deployment"
    }
    assert procfile <= set(COMPOSE["services"])
    assert procfile <= deployed
    assert procfile <= ROLES
    assert "edge" in set(COMPOSE["services"]) & deployed & ROLES


def test_compose_builds_stages_that_exist_and_waits_for_services_that_exist() -> None:
    for name, service in COMPOSE["services"].items():
        if "build" in service:
            assert service["build"]["target"] in STAGES, name
            assert (ROOT / service["build"]["dockerfile"]).is_file()
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
        assert set(service.get("depends_on", ())) <= set(COMPOSE["services"]), name
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in COMPOSE["volumes"], name
    for name in OURS:
        assert COMPOSE["services"][name]["command"][0] in ROLES


def test_every_pod_is_unprivileged_on_a_read_only_root_and_names_what_exists() -> None:
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        volumes = {volume["name"] for volume in pod["volumes"]}
        for one in (*pod.get("initContainers", ()), *pod["containers"]):
            assert one["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert one["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert one["image"].removeprefix("flashsale-") in STAGES, name
            assert one["args"][0] in ROLES, name
            assert {mount["name"] for mount in one["volumeMounts"]} <= volumes, name


def test_the_edge_which_faces_everybody_is_given_one_secret_only() -> None:
    (edge,) = [one for one in containers() if one["args"] == ["edge"]]
    assert [set(source) for source in edge["envFrom"]] == [{"configMapRef"}]
    assert [one["name"] for one in edge["env"]] == ["EDGE_KEY"]
    assert not {"SECRET_KEY", "DATABASE_URL"} & set(COMPOSE["services"]["edge"]["environment"])


def test_selectors_scalers_budgets_and_services_find_their_pods() -> None:
    found: dict[str, set[str]] = {}
    for _, document in documents():
        found.setdefault(document["kind"], set()).add(document["metadata"]["name"])
        if document["kind"] == "Deployment":
            labels = document["spec"]["template"]["metadata"]["labels"]
            assert document["spec"]["selector"]["matchLabels"] == labels
        if document["kind"] == "HorizontalPodAutoscaler":
            assert document["spec"]["scaleTargetRef"]["name"] == document["metadata"]["name"]
    for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget", "Service"):
        assert found[kind] <= found["Deployment"], kind
    assert found["CronJob"]


def test_management_commands_that_pods_run_exist() -> None:
    from django.core.management import get_commands

    wanted = {one["args"][1] for one in containers() if one["args"][0] == "manage"}
    assert wanted == {"migrate", "rollable", "reconcile"}
    assert wanted <= set(get_commands())


def test_the_workflow_checks_before_it_builds_and_asks_before_it_migrates() -> None:
    jobs = WORKFLOW["jobs"]
    assert (jobs["build"]["needs"], jobs["deploy"]["needs"]) == ("test", "build")
    assert ".ci/run" in [step.get("run") for step in jobs["test"]["steps"]]
    assert set(jobs["build"]["strategy"]["matrix"]["target"]) <= STAGES
    steps = [step.get("name") for step in jobs["deploy"]["steps"]]
    assert steps.index("Migrate") < steps.index("Roll, a pod at a time")
    text = (ROOT / ".github/workflows/ci.yaml").read_text()
    for path in re.findall(r"docker/[a-z/]+\.yaml", text):
        assert (ROOT / path).is_file(), path
    (roles,) = re.findall(r"for role in ([a-z ]+);", text)
    deployed = {
        document["metadata"]["name"] for _, document in documents() if document["kind"] == "Deployment"
    }
    assert set(roles.split()) == deployed


@pytest.mark.parametrize(
    ("schema", "path"),
    [("github-workflows", ".github/workflows/ci.yaml"), ("compose-spec", "docker/compose.yaml")],
)
def test_the_workflow_and_the_compose_file_fit_their_schemas(schema: str, path: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_workflows_scripts_are_shell_and_its_expressions_name_what_is_known() -> None:
    text = (ROOT / ".github/workflows/ci.yaml").read_text()
    known = r"(github\.(sha|ref|actor|workflow|event_name)|matrix\.target|env\.REGISTRY|secrets\.[A-Z_]+)"
    for expression in re.findall(r"\$\{\{ *(.+?) *\}\}", text):
        assert re.fullmatch(rf"{known}( == '[a-z_]+')?", expression), expression
    for job in WORKFLOW["jobs"].values():
        for step in job["steps"]:
            if "run" in step:
                done = subprocess.run(
                    ["/bin/bash", "-n"], input=step["run"], capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, done.stderr
            else:  # an action is pinned to a release
                assert re.fullmatch(r"[a-z-]+/[a-z-]+@v\d+", step["uses"])


def test_the_dockerfile_copies_what_exists_and_ends_as_nobody() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists(), source
    for stage in text.split("\nFROM ")[2:]:  # the first stage is thrown away
        users = re.findall(r"^USER (\w+)$", stage, re.MULTILINE)
        assert users[-1] == "999"  # useradd has named it shop
