"""Serves DynamoDB by moto on a free port of the loopback, prints the port, and ends with its input."""

import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

# Moto holds no lock between the check of a condition and the write: nothing keeps two writes from both finding the same
# counter. DynamoDB never lets that happen.
one_at_a_time = threading.Lock()
application = DomainDispatcherApplication(create_backend_app)


def serve(environ, start_response):
    with one_at_a_time:
        return list(application(environ, start_response))


class KeepAlive(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=KeepAlive)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
