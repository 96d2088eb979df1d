"""The Docker backend: one container a run, made, watched and removed through docker-py."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from microloop_cli.backends import docker_errors, enforcement, host_tree
from microloop_cli.backends.base import BackendName, Probe, Sandbox, SandboxPlan, SandboxRequest
from microloop_cli.backends.docker_container import Begun, DockerSandbox
from microloop_cli.backends.docker_daemon import Daemon, DaemonRefused, find_daemon, finish, older_of
from microloop_cli.backends.docker_image import base_image, build, built_tag
from microloop_cli.backends.docker_plan import account_texts, container_user, create_arguments
from microloop_cli.backends.processes import INHERITED, Stdio
from microloop_cli.errors import SandboxError

if TYPE_CHECKING:
    from docker import APIClient

_API_SECONDS = 60


class DockerBackend:
    name: BackendName = "docker"

    def plan(self, request: SandboxRequest) -> SandboxPlan:
        """See base.Backend. Asks nothing of the daemon: whether the image exists shows at the launch."""
        host_tree.check_places(request)
        user = container_user(request)
        image = request.image or built_tag(base_image())
        notes = () if request.image else (f"image {image}, built from {base_image()} at the first use",)
        return SandboxPlan(
            backend=self.name,
            launch_spec={
                "create": create_arguments(request, image, user, os.environ),
                "files": account_texts(request, user),
                "guard": str(request.guard),
                "runs_dir": str(request.runs_dir),
            },
            enforcement=enforcement.of_docker(request, user),
            notes=notes,
        )

    async def launch(self, plan: SandboxPlan) -> Sandbox:
        return await self.launch_with(plan, INHERITED)

    async def launch_with(self, plan: SandboxPlan, stdio: Stdio) -> DockerSandbox:
        """As `launch`, with other descriptors than the caller's own."""
        spec = plan.launch_spec
        create = cast("dict[str, Any]", spec["create"])
        files = cast("dict[str, str]", spec["files"])
        for path, text in files.items():
            Path(path).write_text(text, encoding="utf-8")
            Path(path).chmod(0o644)
        Path(cast(str, spec["runs_dir"])).mkdir(exist_ok=True)  # or the daemon would, as root
        loop = asyncio.get_running_loop()
        begin = functools.partial(_begin, create, Path(cast(str, spec["guard"])))
        begun = await loop.run_in_executor(None, begin)  # whole: it goes on when this loop is busy
        sandbox = DockerSandbox(begun, stdio, tty=bool(create["tty"]), files=tuple(map(Path, files)))
        try:
            await sandbox.take_over()
        except BaseException:
            await sandbox.close()
            raise
        return sandbox

    def probe(self, guard: Path) -> Probe:
        """Tried in an image that is there; builds microloop's own only when there is none at all."""
        from microloop_cli.backends.probe import probe_backend

        image: str | None = None
        versions: dict[str, str] = {}
        with contextlib.suppress(SandboxError):  # the trial says it again, as a problem
            image, versions = _probe_image()
        probe = probe_backend(self, guard, image=image)
        return msgspec.structs.replace(probe, versions=probe.versions | versions)


def connect(daemon: Daemon) -> APIClient:
    """A client of the daemon; raises SandboxError."""
    import docker
    from docker.constants import DEFAULT_DOCKER_API_VERSION

    version = older_of(daemon.version, DEFAULT_DOCKER_API_VERSION)
    try:
        return docker.APIClient(f"unix://{daemon.path}", version=version, timeout=_API_SECONDS)
    except docker.errors.DockerException as error:
        raise docker_errors.api_failure("the Docker daemon could not be used", error) from error


def _probe_image() -> tuple[str | None, dict[str, str]]:
    """An image to try with (None: build one), and the versions of what is there. Blocks."""
    from docker.errors import DockerException

    api = connect(find_daemon())
    try:
        own = built_tag(base_image())
        tags = [
            tag for image in api.images() for tag in image.get("RepoTags") or () if tag != "<none>:<none>"
        ]
        image = None if own in tags or not tags else tags[0]
        return image, {"docker": str(api.version()["Version"]), "image": image or own}
    except DockerException as error:
        raise docker_errors.api_failure("the Docker daemon could not be asked", error) from error
    finally:
        api.close()


def _begin(create: dict[str, Any], guard: Path) -> Begun:
    """Check the daemon and the image; make, attach and start the container; SandboxError. Blocks."""
    daemon = find_daemon()
    try:
        image = str(create["image"])
        docker_errors.check_architecture(guard, image, _architecture_of(daemon, image))
        container = daemon.create(create)
    except (DaemonRefused, OSError) as error:
        raise docker_errors.api_failure("the container could not be made", error) from error
    try:
        return _start(daemon, container)
    except BaseException as error:
        with contextlib.suppress(DaemonRefused, OSError):
            daemon.remove(container)
        if isinstance(error, (DaemonRefused, OSError)):
            raise docker_errors.api_failure("could not start the container", error) from error
        raise


def _start(daemon: Daemon, container: str) -> Begun:
    attached = daemon.attach(container)
    try:
        starting = daemon.send_start(container)
        api = connect(daemon)  # the import takes long, and the start longer
        finish(starting)
    except BaseException:
        attached.close()
        raise
    return Begun(api, container, attached)


def _architecture_of(daemon: Daemon, image: str) -> str:
    """The image's machine, in Docker's words; builds microloop's own image when it is not there yet."""
    found = daemon.image_architecture(image)
    if found is not None:
        return found
    if image != built_tag(base_image()):
        raise docker_errors.missing_image(image)
    _build(daemon)
    return daemon.image_architecture(image) or ""


def _build(daemon: Daemon) -> None:
    from docker.errors import DockerException

    api = connect(daemon)
    try:
        build(api, base_image())
    except DockerException as error:
        raise docker_errors.api_failure("the image could not be built", error) from error
    finally:
        api.close()
