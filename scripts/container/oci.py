#!/usr/bin/env python3
"""Writes a directory as a container image of one layer, in the OCI image layout.

usage: oci.py ROOT IMAGE ARCHITECTURE VERSION

The same ROOT gives the same bytes: files are sorted, and their times are SOURCE_DATE_EPOCH or 0.
A health check is no part of OCI's specification; it is written as Docker and podman read it,
where ROOT has kvcached-cli.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import time

USER = "65532:65532"


def epoch():
    return int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


def layer(root):
    """The files of root as an uncompressed tar archive."""
    def even(member):
        member.mtime = epoch()
        member.uname = member.gname = ""
        return member

    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for directory, directories, files in os.walk(root):
            directories.sort()
            for name in sorted(files + directories):
                path = os.path.join(directory, name)
                tar.add(path, os.path.relpath(path, root), recursive=False, filter=even)
    return archive.getvalue()


class Image:
    def __init__(self, path):
        self.path = path
        os.makedirs(os.path.join(path, "blobs", "sha256"))

    def blob(self, media_type, content, **more):
        """Keeps content; returns its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        with open(os.path.join(self.path, "blobs", "sha256", digest), "wb") as file:
            file.write(content)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(content), **more}

    def json_blob(self, media_type, what, **more):
        return self.blob(media_type, json.dumps(what, sort_keys=True).encode(), **more)

    def file(self, name, what):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
            json.dump(what, file, sort_keys=True)


def settings(root, version):
    said = {
        "User": USER,
        "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
        "Entrypoint": ["kvcached", "-c", "/etc/kvcached.conf"],
        "WorkingDir": "/",
        "StopSignal": "SIGTERM",
        "Labels": {
            "org.opencontainers.image.title": "kvcached",
            "org.opencontainers.image.version": version,
            "org.opencontainers.image.licenses": "BSD-3-Clause",
        },
    }
    if os.path.exists(os.path.join(root, "usr/bin/kvcached-cli")):
        second = 1_000_000_000
        said["Healthcheck"] = {"Test": ["CMD", "kvcached-cli", "ping"], "Interval": 10 * second,
                               "Timeout": 3 * second, "StartPeriod": 60 * second}
    return said


def main():
    root, path, architecture, version = sys.argv[1:]
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch()))
    image = Image(path)
    plain = layer(root)
    packed = image.blob("application/vnd.oci.image.layer.v1.tar+gzip",
                        gzip.compress(plain, mtime=0))
    config = image.json_blob("application/vnd.oci.image.config.v1+json", {
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": settings(root, version),
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]},
        "history": [{"created": created, "created_by": "scripts/container/image"}],
    })
    manifest = image.json_blob("application/vnd.oci.image.manifest.v1+json", {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": [packed],
    }, annotations={"org.opencontainers.image.ref.name": "kvcached"},
        platform={"architecture": architecture, "os": "linux"})
    image.file("index.json", {"schemaVersion": 2, "manifests": [manifest]})
    image.file("oci-layout", {"imageLayoutVersion": "1.0.0"})


main()
