"""A mail server for tests, Debian's aiosmtpd. Tells its port as "listening PORT", and each mail that it takes as
"mail {…}": the envelope, and the message as Python's own parser reads it."""
import argparse
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import AuthResult, SMTP

arguments = argparse.ArgumentParser()
arguments.add_argument("--certificate")
arguments.add_argument("--tls", action="store_true", help="from the first byte on")
arguments.add_argument("--password")
arguments.add_argument("--mail", help="the reply to MAIL")
arguments.add_argument("--data", help="the reply to the mail")
options = arguments.parse_args()


def tell(text):
    print(text, file=sys.stderr, flush=True)


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if options.mail:
            return options.mail
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("gone"):
            return "550 5.1.1 no such user here"
        if address.startswith("busy"):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        tell("mail " + json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in message.items()},
            "helo": session.host_name,
            "names": [address.display_name for address in message["From"].addresses + message["To"].addresses],
            "defects": [str(d) for part in message.walk() for d in part.defects] +
                       [str(d) for value in message.values() for d in value.defects],
            "longest_line": max(len(line) for line in envelope.content.split(b"\r\n")),
            "text": parts["text/plain"],
            "html": parts["text/html"],
        }))
        return options.data or "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, auth_data):
    good = auth_data.password.decode() == options.password
    return AuthResult(success=good, handled=good)


context = None
if options.certificate:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certificate)


async def serve():
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            Handler(),
            tls_context=None if options.tls else context,
            authenticator=authenticate if options.password else None,
            auth_required=bool(options.password),
            auth_require_tls=False),
        "127.0.0.1", 0, ssl=context if options.tls else None)
    tell("listening %d" % server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(serve())
