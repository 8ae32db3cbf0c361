#!/usr/bin/python3
"""An S3-compatible store for the tests: OpenStack Swift with its S3 API, in one process on a loopback port.

  test/support/object-store.py DIRECTORY [BUCKET ...]    makes the buckets, prints its address, ends with its input
  test/support/object-store.py --check                tells by its exit code whether it can be started

A bucket written NAME=BYTES takes no more than so many bytes. The objects are in DIRECTORY and go with whoever removes it.
The store checks signatures (version 4) and the checksum of every request. Debian: python3-swift, started by Debian's
own Python.
"""

import os
import sys
from importlib.util import find_spec

# Looked for, not loaded: that takes a second, and every test file asks.
if sys.argv[1:] == ['--check']:
    sys.exit(0 if find_spec('eventlet') and find_spec('swift') else 1)

# Debian's libraries deprecate some of what its Swift calls.
import warnings

warnings.simplefilter('ignore')

try:
    import eventlet

    eventlet.monkey_patch()
    from eventlet import wsgi
    from swift.account.server import AccountController
    from swift.common import utils
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.middleware import catch_errors, container_quotas, slo, tempauth
    from swift.common.middleware.s3api import s3api
    from swift.common.ring import RingBuilder
    from swift.common.swob import Request
    from swift.container.server import ContainerController
    from swift.obj.server import ObjectController
    from swift.proxy.server import Application
except ImportError as missing:
    sys.exit(f'error: {missing}\nHINT: Install python3-swift, or run "test/support/services up".')

ACCESS_KEY = 'test:backup'
SECRET_KEY = 'only-for-tests'


class Cache:
    """Stands for the memcached that Swift keeps its lookups in."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_):
        return self.values.get(key)

    def set(self, key, value, **_):
        self.values[key] = value

    def incr(self, key, delta=1, **_):
        self.values[key] = int(self.values.get(key) or 0) + delta
        return self.values[key]

    def decr(self, key, delta=1, **_):
        return self.incr(key, -delta)

    def delete(self, key, **_):
        self.values.pop(key, None)


def listen():
    return eventlet.listen(('127.0.0.1', 0))


def serve(socket, application):
    nowhere = open(os.devnull, 'w')
    eventlet.spawn(
        wsgi.server, socket, application, nowhere, protocol=SwiftHttpProtocol, capitalize_response_headers=False, debug=False,
    )


def start_storage(directory):
    """The three servers that keep accounts, buckets and objects, each alone in its ring. Returns their settings."""
    settings = {
        'devices': directory, 'swift_dir': directory, 'mount_check': 'false', 'fallocate_reserve': '0',
        'log_statsd_host': '', 'disable_fallocate': 'true',
        # Its servers are in this process: one that is late is not away. An object would be missing in the list of its bucket, a
        # request be refused, and after some of them every request.
        'conn_timeout': '120', 'node_timeout': '120', 'recoverable_node_timeout': '120', 'container_update_timeout': '120',
        'error_suppression_limit': '1000000',
    }
    for name, controller in (('account', AccountController), ('container', ContainerController), ('object', ObjectController)):
        socket = listen()
        ring = RingBuilder(part_power=0, replicas=1, min_part_hours=1)
        ring.add_dev({
            'id': 0, 'region': 1, 'zone': 1, 'weight': 1, 'ip': '127.0.0.1', 'port': socket.getsockname()[1],
            'device': 'disk',
        })
        ring.rebalance()
        ring.get_ring().save(os.path.join(directory, f'{name}.ring.gz'))
        serve(socket, controller(settings))
    return settings


def build_store(settings):
    cache = Cache()
    proxy = Application({**settings, 'account_autocreate': 'true', 'allow_account_management': 'true'})
    application = proxy
    for factory, own in (
        (container_quotas.filter_factory, {}),
        (slo.filter_factory, {}),
        (tempauth.filter_factory, {'user_test_backup': f'{SECRET_KEY} .admin'}),
        (s3api.filter_factory, {'location': 'us-east-1'}),
        (catch_errors.filter_factory, {}),
    ):
        application = factory({**settings, **own})(application)

    def with_cache(environment, start_response):
        environment['swift.cache'] = cache
        return application(environment, start_response)

    return with_cache, proxy


def make_bucket(proxy, bucket):
    name, _, limit = bucket.partition('=')
    headers = {'X-Container-Meta-Quota-Bytes': limit} if limit else {}
    for container in (name, f'{name}+segments'):
        request = Request.blank(f'/v1/AUTH_test/{container}', {'REQUEST_METHOD': 'PUT', 'swift.cache': Cache()}, headers=headers)
        response = request.get_response(proxy)
        if not response.is_success:
            sys.exit(f'error: bucket {name} could not be made: {response.status}')


def main(directory, *buckets):
    os.makedirs(os.path.join(directory, 'disk'), exist_ok=True)
    # What swift.conf would have.
    utils.HASH_PATH_SUFFIX = b'test'
    store, proxy = build_store(start_storage(directory))
    for bucket in buckets:
        make_bucket(proxy, bucket)
    socket = listen()
    serve(socket, store)
    print(f'http://127.0.0.1:{socket.getsockname()[1]}', flush=True)
    while eventlet.tpool.execute(sys.stdin.readline):
        pass


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
