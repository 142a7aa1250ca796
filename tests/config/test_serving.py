"""A sender who falls silent keeps a thread that reads, and nobody else from being answered."""

from __future__ import annotations

import io
import threading

import pytest

from config.serving import WholeRequests


def echo(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("X-Thread", threading.current_thread().name)])
    return [b"got ", body]


def request(application, body=b"", **environ):
    answers = []
    content = b"".join(
        application(
            {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), **environ},
            lambda status, headers: answers.append((status, dict(headers))),
        )
    )
    return (*answers[0], content)


@pytest.fixture
def application():
    served = WholeRequests(echo, threads=1, largest=1000)
    yield served
    served.stop()


def test_a_request_is_answered_by_a_working_thread_with_its_whole_body(application):
    status, headers, content = request(application, b"x" * 900)

    assert (status, content) == ("200 OK", b"got " + b"x" * 900)
    assert headers["X-Thread"].startswith("work")


class Stream:
    """As Django's answers that are made while they are sent."""

    streaming = True

    def __init__(self) -> None:
        self.made, self.closed = [], False

    def __iter__(self):
        for n in range(3):
            self.made.append(threading.current_thread().name)
            yield b"%d" % n

    def close(self):
        self.closed = True


def test_an_answer_that_is_made_while_it_is_sent_keeps_no_working_thread():
    stream = Stream()

    def stream_it(environ, start_response):
        start_response("200 OK", [])
        return stream

    served = WholeRequests(stream_it, threads=1, largest=1000)
    answer = served({"wsgi.input": io.BytesIO()}, lambda status, headers: None)
    assert stream.made == []

    def send() -> None:
        """In a thread that has no connection to the database otherwise: `close` closes them all."""
        pieces = iter(answer)
        assert next(pieces) == b"0"
        answer.close()  # the reader went away

    sender = threading.Thread(target=send, name="sender")
    sender.start()
    sender.join()
    assert (stream.made, stream.closed) == (["sender"], True)
    served.stop()


def test_a_body_that_comes_in_pieces_is_put_together(application):
    class Pieces(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3))

    assert (
        request(application, **{"wsgi.input": Pieces(b"abcdefgh"), "CONTENT_LENGTH": "8"})[2]
        == b"got abcdefgh"
    )


def test_a_chunked_body_gets_its_length(application):
    answer = request(application, b"abc", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")

    assert answer[2] == b"got abc"


def test_a_body_that_is_announced_as_too_large_is_not_read(application):
    class Unread(io.BytesIO):
        def read(self, size=-1):
            raise AssertionError("nobody asked for this")

    _status, _headers, content = request(application, **{"wsgi.input": Unread(), "CONTENT_LENGTH": "1001"})

    assert content == b"got "


def test_a_silent_sender_keeps_nobody_else_waiting(application):
    silent, heard = threading.Event(), threading.Event()

    class Silent(io.BytesIO):
        def read(self, size=-1):
            heard.set()
            silent.wait()
            return b""

    waiting = threading.Thread(
        target=request, args=(application,), kwargs={"wsgi.input": Silent(), "CONTENT_LENGTH": "9"}
    )
    waiting.start()
    heard.wait()
    try:
        assert request(application, b"hello")[2] == b"got hello"
    finally:
        silent.set()
        waiting.join()


def test_the_response_is_closed_where_it_was_made():
    closed = []

    class Response(list):
        def close(self):
            closed.append(threading.current_thread().name)

    def with_close(environ, start_response):
        start_response("204 No Content", [])
        return Response()

    application = WholeRequests(with_close, threads=1, largest=10)
    request(application)
    application.stop()

    assert [name[:4] for name in closed] == ["work"]


def test_an_error_of_the_application_is_the_servers_to_answer():
    def broken(environ, start_response):
        raise RuntimeError("broken")

    application = WholeRequests(broken, threads=1, largest=10)
    with pytest.raises(RuntimeError):
        request(application)
    application.stop()
