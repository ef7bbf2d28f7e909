"""vectors.txt: against the parser, against both clients, and against a daemon."""

import unittest

import vectors
from kvcached import ArgumentError, Disconnected, KvcachedError, ProtocolError
from kvcached.replies import Parser
from support import (AIO, SYNC, Peer, address_of, client_of, connect, environment, read_all)

ALL = vectors.read()
SENT = [vector for vector in ALL if vector.send]


def run(asked, pieces, closes):
    """What comes out for each request when the reply comes in these pieces."""
    parser = Parser()
    replies = [request.reply() for request in asked]
    for reply in replies:
        if not reply.done:
            parser.expect(reply)
    error = None
    try:
        for piece in pieces:
            parser.feed(piece)
    except KvcachedError as failed:
        error = failed
    if closes and error is None:
        error = parser.end()
    return [(reply.error or reply.result) if reply.done else error for reply in replies]


class Core(unittest.TestCase):
    def check(self, vector, outcomes):
        for call, wanted, got in zip(vector.calls, vector.results, outcomes):
            self.assertTrue(vectors.matches(call, wanted, got),
                            f"{vector.name}: {call}\nwanted {wanted}, got {got!r}")

    def test_there_are_vectors(self):
        self.assertGreater(len(ALL), 90)
        self.assertEqual(len({vector.name for vector in ALL}), len(ALL))

    def test_what_is_sent(self):
        for vector in SENT:
            with self.subTest(vector.name):
                sent = b"".join(request.data for request in vector.requests())
                self.assertEqual(sent, vector.send)

    def test_what_is_not_sent(self):
        for vector in ALL:
            if vector.send:
                continue
            with self.subTest(vector.name):
                if vector.results == ["error argument"]:
                    with self.assertRaises(ArgumentError):
                        vector.requests()
                else:
                    request, = vector.requests()
                    self.assertEqual(request.data, b"")
                    self.check(vector, [request.reply().result])

    def test_replies_whole(self):
        for vector in SENT:
            with self.subTest(vector.name):
                self.check(vector, run(vector.requests(), [vector.reply], vector.closes))

    def test_replies_cut_in_two(self):
        for vector in SENT:
            for cut in range(1, len(vector.reply)):
                with self.subTest(vector.name, cut=cut):
                    pieces = [vector.reply[:cut], vector.reply[cut:]]
                    self.check(vector, run(vector.requests(), pieces, vector.closes))

    def test_replies_byte_by_byte(self):
        for vector in SENT:
            with self.subTest(vector.name):
                pieces = [vector.reply[at:at + 1] for at in range(len(vector.reply))]
                self.check(vector, run(vector.requests(), pieces, vector.closes))

    def test_replies_that_end_early(self):
        for vector in SENT:
            for cut in range(len(vector.reply)):
                with self.subTest(vector.name, cut=cut):
                    outcomes = run(vector.requests(), [vector.reply[:cut]], True)
                    last = outcomes[-1]
                    broken = vector.results[-1] == "error protocol"
                    self.assertIsInstance(last, (Disconnected, ProtocolError) if broken
                                          else Disconnected)
                    for call, wanted, got in zip(vector.calls, vector.results, outcomes):
                        if not isinstance(got, (Disconnected, ProtocolError)):
                            self.assertTrue(vectors.matches(call, wanted, got))


class Clients(unittest.TestCase):
    """Over a socket, against a peer that knows the vector."""

    def check(self, kind, vector):
        def answer(peer):
            peer.read(len(vector.send))
            peer.send(vector.reply)
            if vector.closes:
                peer.close()
        with Peer() as peer:
            peer.on_connection(answer, answer)  # what reads is sent again when it is closed
            with client_of(kind, peer.address) as client:
                pipeline = client.pipeline()
                for call in vector.calls:
                    operation, arguments, options = vectors.call_of(call)
                    getattr(pipeline, operation)(*arguments, **options)
                try:
                    outcomes = pipeline.execute(raise_errors=False)
                except KvcachedError as error:
                    outcomes = [error] * len(vector.calls)
            self.assertEqual(peer.received[0], vector.send)
        last = vector.calls[-1], vector.results[-1], outcomes[-1]
        self.assertTrue(vectors.matches(*last), f"wanted {last[1]}, got {last[2]!r}")

    def test_both_kinds(self):
        for kind in (SYNC, AIO):
            for vector in SENT:
                if not vector.calls[0].startswith("auth"):
                    with self.subTest(vector.name, kind=kind):
                        self.check(kind, vector)


class Daemon(unittest.TestCase):
    """The replies are those of a daemon."""

    def exchange(self, address, data):
        with connect(address) as socket:
            socket.sendall(data + b"QUIT\r\n")
            return read_all(socket)

    def test_replies(self):
        asked = 0
        for vector in SENT:
            if vector.daemon == "no":
                continue
            users = vector.daemon == "users"
            address = address_of(environment("USERS_ADDRESS" if users else "ADDRESS"))
            with self.subTest(vector.name):
                if vector.given:
                    self.exchange(address, vector.given)
                self.assertEqual(self.exchange(address, vector.send), vector.reply)
                asked += 1
        self.assertGreater(asked, 50)
