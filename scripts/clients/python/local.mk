# scripts/clients/python/local.mk - the Python client.

EXTRA_DIST += scripts/clients/python/LICENSE scripts/clients/python/README.md \
              scripts/clients/python/check scripts/clients/python/pyproject.toml \
              scripts/clients/python/kvcached/__init__.py scripts/clients/python/kvcached/aio.py \
              scripts/clients/python/kvcached/client.py scripts/clients/python/kvcached/errors.py \
              scripts/clients/python/kvcached/pipeline.py scripts/clients/python/kvcached/py.typed \
              scripts/clients/python/kvcached/replies.py \
              scripts/clients/python/kvcached/requests.py \
              scripts/clients/python/kvcached/settings.py \
              scripts/clients/python/kvcached/wire.py \
              scripts/clients/python/kvcached/django/__init__.py \
              scripts/clients/python/kvcached/django/cache.py \
              scripts/clients/python/kvcached/django/sessions.py \
              scripts/clients/python/tests/run scripts/clients/python/tests/support.py \
              scripts/clients/python/tests/test_client.py \
              scripts/clients/python/tests/test_django.py \
              scripts/clients/python/tests/test_failures.py \
              scripts/clients/python/tests/test_package.py \
              scripts/clients/python/tests/test_vectors.py \
              scripts/clients/python/tests/vectors.py
