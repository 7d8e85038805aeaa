"""A dask cluster as the place where batches are worked off."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from splineviz.errors import InputError

__all__ = ["on_cluster"]

_PATIENCE = 5.0  # seconds until a scheduler has answered, or a worker has come
_LARGE = "1GiB"  # batches travel with their tasks; dask would warn from 10 MB on


@contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Run joblib's tasks on the cluster of a scheduler, if one is named.

    Raises
    ------
    InputError
        If the package is missing, nobody answers, or there is no worker that has splineviz.
    """
    if address is None:
        yield
        return
    try:
        import dask
        import distributed
    except ImportError as error:
        raise InputError(
            "--dask needs the package distributed", hint="pip install 'splineviz[dask]'"
        ) from error
    import joblib

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said below, once
    _knock(address)
    connect: Any = distributed.Client
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": _LARGE}):
        try:
            client = connect(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            raise _silence(address) from error
        with client:
            _check_workers(client, address)
            with joblib.parallel_config(backend="dask", client=client):
                yield


def _knock(address: str) -> None:
    """Refuse an address where no scheduler answers in time.

    A client would wait for its answer for ever where somebody listens and is silent, and where something else
    is said take that for the length of a message, of exbibytes.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.scheme not in ("tcp", "tls", "ws", "wss"):
        raise InputError(
            f"--dask expects the address of a scheduler, tcp://host:port, got {address!r}",
            hint="start one with: dask scheduler; it prints its address",
        )
    try:
        socket.create_connection((host, port), timeout=_PATIENCE).close()  # a closed port is told at once
        kind = asyncio.run(asyncio.wait_for(_identity(address), _PATIENCE))
    except Exception as error:  # whatever the bytes are taken for
        raise _silence(address) from error
    if kind != "Scheduler":
        raise InputError(
            f"at {address} there is a dask {kind.lower()}, no scheduler",
            hint="give the address that the scheduler prints",
        )


async def _identity(address: str) -> str:
    """The kind of the dask server at an address."""
    from distributed import core
    from distributed.security import Security

    security: Any = Security
    reach: Any = core.rpc
    how = security().get_connection_args("client")
    async with reach(address, connection_args=how, timeout=_PATIENCE) as server:
        told: Mapping[str, Any] = await server.identity()
    return str(told["type"])


def _silence(address: str) -> InputError:
    hint = "start one with: dask scheduler; it prints its address, tcp://host:8786"
    return InputError(f"no dask scheduler answers at {address}", hint=hint)


def _check_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        hint = f"start one with: dask worker {address}"
        raise InputError(f"the dask scheduler at {address} has no workers", hint=hint) from error
    # A function of a module that the workers may lack would not arrive there; a lambda travels by value.
    found = client.run(lambda: importlib.util.find_spec("splineviz") is not None)
    lacking = sorted(worker for worker, has in found.items() if not has)
    if lacking:
        hint = "install the same version on all workers"
        raise InputError(f"splineviz is not installed on the dask worker {lacking[0]}", hint=hint)
