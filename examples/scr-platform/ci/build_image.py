"""Build the image of one component for what is checked out, as COMPONENT says. Needs no credentials, pushes nothing.

PYTHON_IMAGE and NODE_IMAGE name other base images, BUILD_NETWORK the network of the build, as in docker-compose.yml.
"""

import os
import subprocess

import migration_labels
from release import FOLDERS, PLATFORM, ReleaseError, chosen_component, commit, main, repository, version

# What the task definitions of Terraform are for unless told otherwise.
DEFAULT_PLATFORM = "linux/amd64"
BASES = {"api": "PYTHON_IMAGE", "ai-gateway": "PYTHON_IMAGE", "web": "NODE_IMAGE"}


def build() -> None:
    component = chosen_component()
    folder = PLATFORM / FOLDERS[component]
    if not (folder / "Dockerfile").is_file():
        raise ReleaseError(f"there is no {FOLDERS[component]}/Dockerfile, so there is no image to build.")
    labels = {"org.opencontainers.image.revision": commit()}
    if component == "api":
        labels |= migration_labels.labels()  # the one component that migrates
    tag = f"{repository(component)}:{version()}"
    command = ["docker", "build", "--platform", os.environ.get("IMAGE_PLATFORM", DEFAULT_PLATFORM)]
    command += ["--build-arg", f"APP_VERSION={version()}", "--tag", tag]
    if base := os.environ.get(BASES[component]):
        command += ["--build-arg", f"{BASES[component]}={base}"]
    if network := os.environ.get("BUILD_NETWORK"):
        command += ["--network", network]
    for name, value in labels.items():
        command += ["--label", f"{name}={value}"]
    # A plain image, not an index of an image and its attestation: ECR can't scan an index.
    environment = os.environ | {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    try:
        subprocess.run([*command, str(folder)], env=environment, check=True)
    except FileNotFoundError:
        raise ReleaseError("docker is not installed.") from None
    except subprocess.CalledProcessError as error:
        raise ReleaseError(f"docker build of {tag} failed with exit status {error.returncode}; see above.") from None
    print(f"build_image: {tag}")


if __name__ == "__main__":
    main(build)
