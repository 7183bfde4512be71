"""Push the image that build_image.py built, once. An image that is already in ECR never changes."""

import base64
from urllib.parse import urlsplit

from release import aws, chosen_component, image, main, repository, run, version


def push() -> None:
    component = chosen_component()
    local = f"{repository(component)}:{version()}"
    there = image(component, version())
    if there:
        print(f"push_image: {local} is already in ECR ({there['imageId']['imageDigest']}); nothing to do")
        return
    # The registry of the account and region that the credentials are for.
    access = aws("ecr", "get-authorization-token")["authorizationData"][0]
    registry = urlsplit(access["proxyEndpoint"]).netloc
    user, _, password = base64.b64decode(access["authorizationToken"]).decode().partition(":")
    run("docker", "login", "--username", user, "--password-stdin", registry, stdin=password)
    try:
        run("docker", "tag", local, f"{registry}/{local}")
        run("docker", "push", "--quiet", f"{registry}/{local}")
    finally:
        run("docker", "logout", registry)
    print(f"push_image: {registry}/{local}")


if __name__ == "__main__":
    main(push)
