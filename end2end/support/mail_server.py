"""A mail server for the tests (aiosmtpd). Usage: mail_server.py starttls|tls CERTIFICATE KEY

Takes mail only after authentication, and only under TLS. Prints its port, and then each message as a line of JSON.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

USERNAME, PASSWORD = b"postern", b"correct horse"


class Mailbox:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_content()
        headers = {name.lower(): str(value) for name, value in message.items()}
        print(json.dumps({"to": envelope.rcpt_tos, "headers": headers, "body": body}), flush=True)
        return "250 2.0.0 Ok: queued as 4711"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == USERNAME and data.password == PASSWORD)


async def main(mode, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    starttls = mode == "starttls"

    def session():
        return SMTP(
            Mailbox(),
            hostname="mail.test",
            tls_context=context if starttls else None,
            require_starttls=starttls,
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=starttls,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=None if starttls else context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
