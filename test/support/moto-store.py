#!/usr/bin/python3
"""An S3-compatible store for the tests, beside OpenStack Swift of object-store.py: moto, which checks signatures and the policy of its user.

  test/support/services store [BUCKET ...]    makes the buckets; prints its address, the key and the secret of its one user; ends with its input

Then it takes one command a line, and answers each with "ok": "policy JSON", an IAM policy in place of the one that allows everything;
"damage BYTES", which changes one byte of the newest object of that size; "age DAYS", which makes all objects older by that; "heed 1", from
which on a PUT heeds If-Match. Objects are in memory. Debian 13: python3-moto.
"""

import json
import logging
import os
import sys
import threading
from datetime import timedelta
from io import BytesIO
from threading import Lock

# Before moto is loaded: no request goes without a signature.
os.environ['INITIAL_NO_AUTH_ACTION_COUNT'] = '0'

from flask import request
from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam import access_control
from moto.iam.models import iam_backends
from moto.moto_server import threaded_moto_server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import MultipartDict, s3_backends
from moto.server import ThreadedMotoServer

USER = 'backup'
turn = Lock()
iam = iam_backends[DEFAULT_ACCOUNT_ID]['aws']
s3 = s3_backends[DEFAULT_ACCOUNT_ID]['aws']


class SignedRequest(access_control.S3IAMRequest):
    """moto decodes an address before it compares signatures, which are of the address as it was sent."""

    def _create_aws_request(self):
        signed = super()._create_aws_request()
        signed.url = request.environ['REQUEST_URI']
        return signed


access_control.S3IAMRequest = SignedRequest


# Whether PUT heeds If-Match, as Amazon's does and moto's does not.
heeds = False


def refuses(environ):
    condition = environ.get('HTTP_IF_MATCH')
    if not heeds or condition is None or environ['REQUEST_METHOD'] != 'PUT':
        return False
    _, bucket, name = environ['PATH_INFO'].split('/', 2)
    there = s3.buckets[bucket].keys.get(name)
    return there is None or there.etag != condition


class OneAtATime:
    """moto keeps what it has in dictionaries without a lock, and answers each request in a thread of its own: two at once may meet half of
    a change, which is an internal error then. The body is read before, so that one that comes slowly keeps nobody waiting."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        if environ.get('CONTENT_LENGTH'):
            environ['wsgi.input'] = BytesIO(environ['wsgi.input'].read(int(environ['CONTENT_LENGTH'])))
        with turn:
            if refuses(environ):
                start_response('412 Precondition Failed', [('Content-Type', 'application/xml')])
                return [b'<?xml version="1.0"?><Error><Code>PreconditionFailed</Code><Message>by If-Match</Message></Error>']
            answer = self.application(environ, start_response)
            try:
                return list(answer)
            finally:
                if hasattr(answer, 'close'):
                    answer.close()


dispatcher = threaded_moto_server.DomainDispatcherApplication
threaded_moto_server.DomainDispatcherApplication = lambda create: OneAtATime(dispatcher(create))


def no_such_upload(_, upload_id):
    """moto answers for an upload that another request has completed with an internal error, as no store does."""
    raise NoSuchUpload(upload_id=upload_id)


MultipartDict.__missing__ = no_such_upload


def one_at_a_time(call):
    """moto shares its objects between the threads of its requests without a lock."""
    lock = threading.Lock()

    def locked(*args):
        with lock:
            return call(*args)

    return locked


DomainDispatcherApplication.__call__ = one_at_a_time(DomainDispatcherApplication.__call__)


def allow(statements):
    iam.put_user_policy(USER, 'policy', json.dumps({'Version': '2012-10-17', 'Statement': statements}))


def objects():
    return [key for bucket in s3.buckets.values() for key in bucket.keys.values()]


def age(days):
    for key in objects():
        key.last_modified -= timedelta(days=days)


def heed(wanted):
    global heeds
    heeds = wanted == 1


def damage(size):
    newest = max((key for key in objects() if key.size == size), key=lambda key: key.last_modified)
    flipped = bytearray(newest.value)
    flipped[size // 2] ^= 1
    etag = newest.etag
    newest.value = bytes(flipped)
    # What a store knows of an object does not change with a damage.
    newest._etag = etag


def main(*buckets):
    logging.getLogger('werkzeug').setLevel(logging.ERROR)
    iam.create_user('us-east-1', USER)
    allow([{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}])
    key = iam.create_access_key(USER)
    for bucket in buckets:
        s3.create_bucket(bucket, 'us-east-1')
    server = ThreadedMotoServer('127.0.0.1', 0, verbose=False)
    server.start()
    print(f'http://127.0.0.1:{server.get_host_and_port()[1]} {key.access_key_id} {key.secret_access_key}', flush=True)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(' ')
        with turn:
            if command == 'policy':
                allow(json.loads(argument)['Statement'])
            else:
                {'damage': damage, 'age': age, 'heed': heed}[command](int(argument))
        print('ok', flush=True)


main(*sys.argv[1:])
