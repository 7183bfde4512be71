"""Build the image of the component COMPONENT from the checked-out commit. Needs no credentials, pushes nothing.

PYTHON_IMAGE and NODE_IMAGE set other base images, BUILD_NETWORK the network of the build, as in docker-compose.yml.
"""

import os
import subprocess

import migration_labels
from release import FOLDERS, PLATFORM, ReleaseError, chosen_component, commit, main, repository, version

# The default of the task definitions in Terraform.
DEFAULT_PLATFORM = "linux/amd64"
BASES = {"api": "PYTHON_IMAGE", "ai-gateway": "PYTHON_IMAGE", "web": "NODE_IMAGE"}


def build() -> None:
    component = chosen_component()
    folder = PLATFORM / FOLDERS[component]
    if not (folder / "Dockerfile").is_file():
        raise ReleaseError(f"{FOLDERS[component]}/Dockerfile does not exist, so no image can be built.")
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
    # A plain image and not an index of an image and its attestation, because ECR cannot scan an index.
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
