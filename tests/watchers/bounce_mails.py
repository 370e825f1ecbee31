"""Reports as many mail systems lay them out, with invented names: what each must be read as."""

# ruff: noqa: E501, RUF001 - the reports are worded and wrapped as their systems do

from __future__ import annotations

from dataclasses import dataclass

ORIGINAL = """Return-Path: <ann@ours.example>
Received: from pc.ours.example (pc.ours.example [192.0.2.9]) by mx.ours.example with ESMTP id A1
Message-ID: <offer-1@ours.example>
From: Ann Ours <ann@ours.example>
To: Jane Roe <jane@acme.example>
Subject: Offer
Date: Mon, 4 May 2026 09:00:00 +0000

Dear Jane, as promised.
"""


@dataclass(frozen=True)
class Case:
    """A report and, for each recipient, the kind it must be read as."""

    name: str
    raw: bytes
    says: tuple[tuple[str, str], ...]


def case(
    name: str, body: str, *says: tuple[str, str], sender: str = "MAILER-DAEMON@mx.acme.example", **head: str
) -> Case:
    """Build a report from its body; further arguments are headers."""
    fields = {
        "From": sender,
        "To": "ann@ours.example",
        "Subject": "failure notice",
        "Message-ID": "<report-1@mx.acme.example>",
        "Date": "Mon, 4 May 2026 09:30:00 +0000",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        **{key.replace("_", "-"): value for key, value in head.items()},
    }
    lines = "".join(f"{key}: {value}\n" for key, value in fields.items())
    return Case(name, f"{lines}\n{body}".encode(), says or (("jane@acme.example", "mailbox_gone"),))


def mixed(text: str, attached: str = ORIGINAL, kind: str = "message/rfc822") -> str:
    """Build a multipart body of a notice and what it returns, with the boundary `b`."""
    return f"--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n--b\nContent-Type: {kind}\n\n{attached}\n--b--\n"


MIXED = 'multipart/mixed; boundary="b"'
REPORT = 'multipart/report; report-type=delivery-status; boundary="b"'
JANE = "jane@acme.example"
BOB = "bob@acme.example"


def dsn(text: str, *groups: str, mta: str = "mx.ours.example") -> str:
    """Build an RFC 3464 body with the boundary `b`."""
    fields = "\n\n".join((f"Reporting-MTA: dns; {mta}", *groups))
    return (
        f"--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n--b\nContent-Type: message/delivery-status\n\n{fields}\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{ORIGINAL}\n--b--\n"
    )


def group(recipient: str, status: str, diagnostic: str = "", action: str = "failed") -> str:
    """Build the fields of one recipient."""
    lines = [f"Final-Recipient: rfc822; {recipient}", f"Action: {action}", f"Status: {status}"]
    return "\n".join([*lines, f"Diagnostic-Code: smtp; {diagnostic}"] if diagnostic else lines)


LAYOUTS = (
    case(
        "Exim",
        f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jane@acme.example
    SMTP error from remote mail server after RCPT TO:<jane@acme.example>:
    host mx.acme.example [192.0.2.7]: 550 5.1.1 <jane@acme.example>:
    Recipient address rejected: User unknown in virtual mailbox table

------ This is a copy of the message, including all the headers. ------

{ORIGINAL}""",
        sender="Mail Delivery System <Mailer-Daemon@mx.ours.example>",
        Subject="Mail delivery failed: returning message to sender",
        X_Failed_Recipients="jane@acme.example",
        Auto_Submitted="auto-replied",
    ),
    case(
        "Exim, two recipients and a local alias",
        f"""A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jane@acme.example
    (generated from sales@ours.example)
    mailbox is full: retry timeout exceeded
  bob@acme.example
    unknown local-part "bob" in domain "acme.example"

------ This is a copy of your message, including all the headers. ------

{ORIGINAL}""",
        (JANE, "full"),
        (BOB, "mailbox_gone"),
        sender="Mail Delivery System <Mailer-Daemon@mx.ours.example>",
        Subject="Mail delivery failed: returning message to sender",
    ),
    case(
        "Exim, a delay",
        """This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.ours.example.

The message identifier is:     1aBcDe-000abc-XY
The subject of the message is: Offer
The date of the message is:    Mon, 4 May 2026 09:00:00 +0000

The address to which the message has not yet been delivered is:

  jane@acme.example
    Delay reason: host mx.acme.example [192.0.2.7]: Connection timed out

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals if the message
remains undelivered.
""",
        (JANE, "transient"),
        sender="Mail Delivery System <Mailer-Daemon@mx.ours.example>",
        Subject="Warning: message 1aBcDe-000abc-XY delayed 24 hours",
    ),
    case(
        "Exim, unrouteable",
        """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jane@acme.example
    Unrouteable address
""",
        (JANE, "domain_gone"),
        Subject="Mail delivery failed: returning message to sender",
    ),
    case(
        "qmail",
        f"""Hi. This is the qmail-send program at mx.ours.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<jane@acme.example>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 <jane@acme.example>... No such user here
Giving up on 192.0.2.7.

<bob@acme.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{ORIGINAL}""",
        (JANE, "mailbox_gone"),
        (BOB, "mailbox_gone"),
    ),
    case(
        "qmail, no host",
        """Hi. This is the qmail-send program at mx.ours.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<jane@acme.example>:
Sorry, I couldn't find any host named acme.example. (#5.1.2)
""",
        (JANE, "domain_gone"),
    ),
    case(
        "qmail, no connection",
        """Hi. This is the qmail-send program at mx.ours.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<jane@acme.example>:
Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)
I'm not going to try again; this message has been in the queue too long.
""",
        (JANE, "transient"),
    ),
    case(
        "qmail, vpopmail",
        """Hi. This is the qmail-send program at mx.acme.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<jane@acme.example>:
user is over quota
""",
        (JANE, "full"),
    ),
    case(
        "Courier",
        mixed(
            """This is a delivery status notification from mx.acme.example,
running the Courier mail server, version 0.65.

The original message was received on Mon, 4 May 2026 09:00:00 +0000
from mx.ours.example (mx.ours.example [192.0.2.9])

---------------------------------------------------------------------------

                           UNDELIVERABLE MAIL

Your message to the following recipients cannot be delivered:

<jane@acme.example>:
    mx.acme.example [192.0.2.7]:
>>> RCPT TO:<jane@acme.example>
<<< 550 User unknown.

---------------------------------------------------------------------------

If your message was also sent to additional recipients, their delivery
status is not included in this report.
"""
        ),
        sender='"Courier mail server at mx.acme.example" <@>',
        Subject="NOTICE: mail delivery status.",
        Content_Type=MIXED,
        Return_Path="<>",
    ),
    case(
        "Sendmail",
        f"""The original message was received at Mon, 4 May 2026 09:00:00 +0000
from pc.ours.example [192.0.2.9]

   ----- The following addresses had permanent fatal errors -----
<jane@acme.example>
    (reason: 550 5.1.1 <jane@acme.example>... User unknown)

   ----- Transcript of session follows -----
... while talking to mx.acme.example.:
>>> DATA
<<< 550 5.1.1 <jane@acme.example>... User unknown
550 5.1.1 <jane@acme.example>... User unknown
<<< 503 5.0.0 Need RCPT (recipient)

   ----- Original message follows -----

{ORIGINAL}""",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@mx.ours.example>",
        Subject="Returned mail: see transcript for details",
    ),
    case(
        "Sendmail 5",
        f"""   ----- Transcript of session follows -----
While talking to mx.acme.example:
>>> RCPT To:<jane@acme.example>
<<< 550 <jane@acme.example>... User unknown
550 jane@acme.example... User unknown

   ----- Unsent message follows -----
{ORIGINAL}""",
        Subject="Returned mail: User unknown",
    ),
    case(
        "Postfix, text alone",
        """This is the mail system at host mx.ours.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to <postmaster@ours.example>

If you do so, please include this problem report. You can
delete your own text from the attached returned message.

                   The mail system

<jane@acme.example> (expanded from <sales@ours.example>): host
    mx.acme.example[192.0.2.7] said: 550-5.1.1 The email account that you tried
    to reach does not exist. (in reply to RCPT TO command)
""",
        Subject="Undelivered Mail Returned to Sender",
    ),
    case(
        "Exchange 5.5",
        mixed(
            """Your message

  To:      jane@acme.example
  Subject: Offer
  Sent:    Mon, 4 May 2026 09:00:00 +0000

did not reach the following recipient(s):

jane@acme.example on Mon, 4 May 2026 09:30:00 +0000
    The recipient name is not recognized
\tThe MTS-ID of the original message is: c=XX;a= ;p=ACME;l=MAIL-0605040930Z-1
    MSEXCH:IMS:ACME:SITE:MAIL 0 (000C05A6) Unknown Recipient
"""
        ),
        sender="System Administrator <postmaster@acme.example>",
        Subject="Undeliverable: Offer",
        Content_Type=MIXED,
    ),
    case(
        "Exchange 2003 without a name of its own",
        mixed(
            """Your message did not reach some or all of the intended recipients.

      Subject:     Offer
      Sent:     5/4/2026 9:00 AM

The following recipient(s) could not be reached:

      Jane Roe on 5/4/2026 9:30 AM
            The e-mail account does not exist at the organization this message was sent to.  Check the e-mail address, or contact the recipient directly to find out the correct address.
            <mx.acme.example #5.1.1>
"""
        ),
        sender="System Administrator",
        Subject="Undeliverable: Offer",
        Content_Type=MIXED,
        Return_Path="<>",
    ),
    case(
        "Exchange 2007, in French",
        mixed(
            """Échec de la remise aux destinataires ou listes de distribution suivants :

jane@acme.example<mailto:jane@acme.example>
L'adresse de messagerie du destinataire est introuvable dans le système de messagerie du destinataire. Microsoft Exchange n'essaiera pas de remettre ce message à votre place. Vérifiez l'adresse de messagerie et essayez de renvoyer ce message ou indiquez le texte de diagnostic suivant à votre administrateur système.

Informations de diagnostic pour les administrateurs :

Serveur de génération : mail.acme.example

jane@acme.example
#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
"""
        ),
        sender="Microsoft Exchange <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@acme.example>",
        Subject="Non remis : Offer",
        Content_Type=MIXED,
    ),
    case(
        "Exchange Online, text alone",
        """Your message to jane@acme.example couldn't be delivered.

jane wasn't found at acme.example.

ann\tOffice 365\tjane
Action Required\t\tRecipient

Unknown To address

How to Fix It
The address may be misspelled or may not exist. Try one or more of the following:

Original Message Details
Created Date:\t5/4/2026 9:00:00 AM
Sender Address:\tann@ours.example
Recipient Address:\tjane@acme.example
Subject:\tOffer

Error Details
Reported error:\t550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient jane@acme.example not found by SMTP address lookup
DSN generated by:\tAM0PR01.eurprd01.prod.outlook.example
""",
        sender="Microsoft Outlook <postmaster@ours.example>",
        Subject="Undeliverable: Offer",
    ),
    case(
        "Domino",
        mixed(
            """Your message

  Subject: Offer

was not delivered to:

  jane@acme.example

because:

  User jane (jane@acme.example) not listed in Domino Directory
"""
        ),
        sender="Postmaster@acme.example",
        Subject="DELIVERY FAILURE: User jane (jane@acme.example) not listed in Domino Directory",
        Content_Type=MIXED,
    ),
    case(
        "Domino, no route",
        """Your message

  Subject: Offer

was not delivered to:

  jane@acme.example

because:

  No route found to domain acme.example from server MAIL/Ours.  Check Server, Connection and Domain documents in Directory
""",
        (JANE, "transient"),
        sender="Postmaster@ours.example",
        Subject="DELIVERY FAILURE: No route found to domain acme.example",
    ),
    case(
        "GroupWise",
        """The message that you sent was undeliverable to the following:
\tjane@acme.example (550 jane@acme.example no such address here)

Possibly truncated original message follows:

{ORIGINAL}""",
        sender="postmaster@ours.example",
        Subject="Message status - undeliverable",
    ),
    case(
        "OpenSMTPD",
        f"""    Hi!

    This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.

    An error has occurred while attempting to deliver a message for
    the following list of recipients:

jane@acme.example: 550 Invalid recipient

    Below is a copy of the original message:

{ORIGINAL}""",
        sender="Mailer Daemon <MAILER-DAEMON@mx.ours.example>",
        Subject="Delivery status notification: error",
    ),
    case(
        "DragonFly mail agent",
        f"""This is the DragonFly Mail Agent v0.13 at mx.ours.example.

There was an error delivering your mail to <jane@acme.example>.

mx.acme.example [192.0.2.7] did not like our RCPT TO:
550 5.1.1 <jane@acme.example>... User Unknown

Message headers follow.

{ORIGINAL}""",
        sender="MAILER-DAEMON <>",
        Subject="Mail delivery failed",
    ),
    case(
        "1&1, in German",
        f"""Dies ist eine automatisch erzeugte Nachricht.

Ihre Nachricht konnte nicht zugestellt werden an:

<jane@acme.example>: Empfänger unbekannt

--- Ursprüngliche Nachricht ---

{ORIGINAL}""",
        sender="Mail Delivery System <mailer-daemon@ours.example>",
        Subject="Zustellung der Nachricht fehlgeschlagen",
    ),
    case(
        "Sun Messaging Server",
        mixed(
            """This report relates to a message you sent with the following header fields:

  Message-id: <offer-1@ours.example>
  Date: Mon, 4 May 2026 09:00:00 +0000
  From: Ann Ours <ann@ours.example>
  To: jane@acme.example
  Subject: Offer

Your message cannot be delivered to the following recipients:

  Recipient address: jane@acme.example
  Reason: Remote SMTP server has rejected address
  Diagnostic code: smtp;550 5.1.1 unknown or illegal alias: jane@acme.example
  Remote system: dns;mx.acme.example (TCP|192.0.2.9|41000|192.0.2.7|25)
"""
        ),
        sender="Internet Mail Delivery <postmaster@ours.example>",
        Subject="Delivery Notification: Delivery has failed",
        Content_Type=MIXED,
    ),
    case(
        "IMail",
        f"""Unknown user: jane@acme.example

Original message follows.

{ORIGINAL}""",
        sender="Postmaster <postmaster@acme.example>",
        Subject="Undeliverable Mail",
        X_Mailer="<SMTP32 v8.22>",
    ),
    case(
        "IMail, full",
        """User mailbox exceeds allowed size: jane@acme.example
""",
        (JANE, "full"),
        sender="Postmaster <postmaster@acme.example>",
        Subject="Undeliverable Mail",
    ),
    case(
        "MDaemon",
        """The attached message had PERMANENT fatal delivery errors!

After one or more unsuccessful delivery attempts the attached message has
been removed from the mail queue on this server.  The number and frequency
of delivery attempts are determined by local configuration parameters.

YOUR MESSAGE WAS NOT DELIVERED TO ONE OR MORE RECIPIENTS!

Failed address: jane@acme.example

--- Session Transcript ---
 Mon 2026-05-04 09:00:00: Parsing message <xxxxxxxx\\pd500.msg>
 Mon 2026-05-04 09:00:00: *  From: ann@ours.example
 Mon 2026-05-04 09:00:00: *  To: jane@acme.example
 Mon 2026-05-04 09:00:01: --> RCPT To:<jane@acme.example>
 Mon 2026-05-04 09:00:01: <-- 550 <jane@acme.example>, Recipient unknown
 Mon 2026-05-04 09:00:01: --> QUIT
--- End Transcript ---

: Message contains [1] file attachments
""",
        sender="MDaemon@ours.example",
        Subject="Warning: ann@ours.example - User unknown!",
    ),
    case(
        "MailEnable",
        f"""This is an automatically generated mail message. Please do not reply to it.

Message could not be delivered to some recipients.
The following recipient(s) could not be reached:

\tRecipient: [SMTP:jane@acme.example]
\tReason: The message could not be delivered because the recipient's mailbox does not exist: Remote SMTP Server Returned: 550 Requested action not taken: mailbox unavailable or not local

Message headers follow:

{ORIGINAL}""",
        sender="Postmaster <postmaster@ours.example>",
        Subject="Message Delivery Failure",
    ),
    case(
        "hMailServer",
        """Your message did not reach some or all of the intended recipients.

   Sent: Mon, 4 May 2026 09:00:00 +0000
   Subject: Offer

The following recipient(s) could not be reached:

jane@acme.example
   Error Type: SMTP
   Remote server (192.0.2.7) issued an error.
   hMailServer sent: RCPT TO:<jane@acme.example>
   Remote server replied: 550 Unknown user


hMailServer
""",
        sender="mailer-daemon@ours.example",
        Subject="Message undeliverable: Offer",
    ),
    case(
        "Kerio",
        """The mail server could not deliver mail to jane@acme.example.  The account or domain may not exist, they may be blacklisted, or missing the proper dns entries.
550 5.1.1 User unknown
""",
        sender="Mail Delivery Subsystem <postmaster@ours.example>",
        Subject="Undeliverable mail",
    ),
    case(
        "SmarterMail",
        f"""Could not deliver message to the following recipient(s):

Failed Recipient: jane@acme.example
Reason: Remote host said: 550 No such recipient here

   -- The header and top 20 lines of the message follows --

{ORIGINAL}""",
        sender="System Administrator <postmaster@ours.example>",
        Subject="Delivery Failure",
    ),
    case(
        "SurgeMail",
        f"""Message from:  mx.ours.example

Undeliverable message

Addressed to: jane@acme.example
Error: Failed to deliver to <jane@acme.example>; 550 sorry no such mailbox here

--- Original message follows ---

{ORIGINAL}""",
        sender="mailserver@ours.example",
        Subject="Undeliverable mail",
    ),
    case(
        "James",
        mixed(
            """Hi. This is the James mail server at mx.ours.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.  Below
I include the list of recipients and the reason why I was unable to deliver
your message.

Failed recipient(s):
jane@acme.example

Error message:
550 5.1.1 jane@acme.example: Recipient address rejected: User unknown
"""
        ),
        sender="postmaster@ours.example",
        Subject="Delivery failed",
        Content_Type=MIXED,
    ),
    case(
        "Novell, Mercury",
        """Because of the following reason, the message you sent could not be delivered:
jane@acme.example: 553 user not known at this site.

The text of your message follows:
""",
        sender="Electronic Postmaster <postmaster@acme.example>",
        Subject="Postmaster Notify: Delivery Failure",
    ),
    case(
        "InterScan",
        mixed(
            """Could not deliver the message to the following recipient(s):

jane@acme.example
Mail server said:
550 5.1.1 unknown user
"""
        ),
        sender='"InterScan MSS" <postmaster@ours.example>',
        Subject="Mail could not be delivered",
        Content_Type=MIXED,
    ),
    case(
        "MIMEsweeper",
        mixed(
            """Your message was not delivered because the return address was refused.

A message sent by you could not be delivered to the following recipients:

jane@acme.example

The reason given: 550 No such user - jane
"""
        ),
        sender="MIMEsweeper <mimesweeper@ours.example>",
        Subject="Undeliverable Mail",
        Content_Type=MIXED,
    ),
    case(
        "MailMarshal",
        """Your message:
   From:    ann@ours.example
   Subject: Offer

Could not be delivered because of

550 5.1.1 User unknown

The following recipients were affected:
    jane@acme.example

Additional Information
======================
Original Sender:    <ann@ours.example>
Sender-MTA:         <192.0.2.9>
Remote-MTA:         <192.0.2.7>
""",
        sender="MailMarshal <MailMarshal@ours.example>",
        Subject="Undeliverable Mail: Offer",
    ),
    case(
        "MailFoundry",
        """This is a MIME encoded message.

Unable to deliver message to: <jane@acme.example>
Delivery failed for the following reason:
Server mx.acme.example[192.0.2.7] failed with: 550 <jane@acme.example> No such user here

This has been a permanent failure.  No further delivery attempts will be made.
""",
        sender="<>",
        Subject="Message delivery failed",
    ),
    case(
        "m-FILTER",
        f"""(以下のメールの送信に失敗しました。)

-------server message
550 5.1.1 unknown user <jane@acme.example>

-------original message
{ORIGINAL}""",
        sender='"Mail Filter" <mailer-daemon@ours.example>',
        Subject="failure notice",
    ),
    case(
        "a mobile carrier, in Japanese",
        mixed(
            """宛先不明のため、お送りしたメールを配信できませんでした。

<jane@acme.example>
""",
            kind="text/rfc822-headers",
        ),
        sender="Postmaster@ezweb.example",
        Subject="メールが送信できませんでした",
        Content_Type=MIXED,
    ),
    case(
        "EZweb",
        f"""The user(s) account is disabled.

<jane@acme.example>: 550 user unknown (in reply to RCPT TO command)

{ORIGINAL}""",
        sender="Postmaster@ezweb.example",
        Subject="Mail System Error - Returned Mail",
    ),
    case(
        "Bigfoot",
        f"""The original message was received at Mon, 4 May 2026 09:00:00 +0000

   ----- The following addresses had permanent fatal errors -----

   ----- Transcript of session follows -----
>>> RCPT TO:<jane@acme.example>
<<< 550 Not a valid recipient: <jane@acme.example>

   ----- Original message follows -----
{ORIGINAL}""",
        Subject="Returned mail: service unavailable",
    ),
    case(
        "mail.com on behalf of GMX",
        f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of
its recipients. This is a permanent error. The following address
failed:

"jane@acme.example":
SMTP error from remote server after RCPT command:
host: mx.acme.example
5.1.1 <jane@acme.example>... User Unknown

--- The header of the original message is following. ---

{ORIGINAL}""",
        sender="GMX Mailer Daemon <mailer-daemon@gmx.example>",
        Subject="Mail delivery failed: returning message to sender",
    ),
    case(
        "AOL",
        """The original message was received at Mon, 4 May 2026 09:00:00 +0000
from mx.ours.example [192.0.2.9]

*** ATTENTION ***

Your e-mail is being returned to you because there was a problem with its
delivery.  The address which was undeliverable is listed in the section
labeled: "----- The following addresses had permanent fatal errors -----".

   ----- The following addresses had permanent fatal errors -----
<jane@acme.example>

   ----- Transcript of session follows -----
... while talking to air-xd03.mail.aol.example.:
>>> RCPT To:<jane@acme.example>
<<< 550 MAILBOX NOT FOUND
550 <jane@acme.example>... User unknown
""",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@aol.example>",
        Subject="Returned mail: User unknown",
    ),
    case(
        "Compuserve",
        f"""Your message could not be delivered as addressed.

--- Returned message ---

Receiver not found: jane@acme.example


Your message could not be delivered as addressed.

--- Original message ---
{ORIGINAL}""",
        sender="Electronic Postmaster <postmaster@compuserve.example>",
        Subject="Undeliverable Message",
    ),
    case(
        "Netscape",
        mixed(
            """This Message was undeliverable due to the following reason:

The following destination addresses were unknown (please check
the addresses and re-mail the message):

SMTP <jane@acme.example>

Please reply to Postmaster@acme.example
if you feel this message to be in error.
"""
        ),
        sender="Mail Administrator <Postmaster@acme.example>",
        Subject="Mail System Error - Returned Mail",
        Content_Type=MIXED,
    ),
    case(
        "a full mailbox at a Netscape server",
        mixed(
            """This Message was undeliverable due to the following reason:

The user(s) account is temporarily over quota.

<jane@acme.example>

Please reply to Postmaster@acme.example
if you feel this message to be in error.
"""
        ),
        (JANE, "full"),
        sender="Mail Administrator <Postmaster@acme.example>",
        Subject="Mail System Error - Returned Mail",
        Content_Type=MIXED,
    ),
    case(
        "a message that says it in one sentence",
        """Your mail to jane@acme.example could not be delivered: this user no longer works here.
""",
        sender="postmaster@acme.example",
        Subject="Undeliverable: Offer",
    ),
    case(
        "Microsoft SMTPSVC",
        mixed(
            """This is an automatically generated Delivery Status Notification.

Delivery to the following recipients failed.

       jane@acme.example

""",
        ),
        (JANE, "other"),
        sender="postmaster@acme.example",
        Subject="Delivery Status Notification (Failure)",
        Content_Type=MIXED,
    ),
    case(
        "Smail",
        f"""|------------------------- Message log follows: -------------------------|
 no valid recipients were found for this message
|------------------------- Failed addresses follow: ---------------------|
 <jane@acme.example> ... unknown user
|------------------------- Message text follows: ------------------------|
{ORIGINAL}""",
        Subject="mail failed, returning to sender",
    ),
    case(
        "Post.Office",
        """This Message was undeliverable due to the following reason:

Each of the following recipients was rejected by a remote mail server.
The reasons given by the server are included to help you determine why
each recipient was rejected.

    Recipient: <jane@acme.example>
    Reason:    <jane@acme.example>... User unknown

Please reply to <Postmaster@ours.example>
if you feel this message to be in error.
""",
        sender="Mail Administrator <Postmaster@ours.example>",
        Subject="Mail System Error - Returned Mail",
    ),
    case(
        "Mail.ru, in Russian",
        f"""Это письмо создано автоматически сервером Mail.Ru, отвечать на него не нужно.

К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:

jane@acme.example
    Пользователь не найден

------ Исходное сообщение ------
{ORIGINAL}""",
        sender="mailer-daemon@corp.mail.example",
        Subject="Ваше сообщение не доставлено",
    ),
    case(
        "Tencent, in Chinese",
        """抱歉，您的邮件被退回来了……

原邮件信息：
时间：2026-05-04 09:00:00
主题：Offer
收件人：jane@acme.example

退信原因：
收件人邮箱不存在。

host mx.acme.example[192.0.2.7] said: 550 Mailbox not found
""",
        sender="PostMaster <PostMaster@qq.example>",
        Subject="来自qq.example的退信",
    ),
    case(
        "an Italian provider",
        """Il messaggio non è stato recapitato ai seguenti destinatari:

jane@acme.example
    Casella di posta inesistente
""",
        sender="Mail Delivery System <mailer-daemon@provider.example>",
        Subject="Mancato recapito",
    ),
    case(
        "a Spanish provider",
        """No se ha podido entregar su mensaje a los siguientes destinatarios:

<jane@acme.example>: la casilla está llena
""",
        (JANE, "full"),
        sender="postmaster@provider.example",
        Subject="No se puede entregar: Oferta",
    ),
    case(
        "a Brazilian provider",
        """Sua mensagem não pôde ser entregue ao destinatário: jane@acme.example

Motivo: usuário inexistente
""",
        sender="postmaster@provider.example",
        Subject="Mensagem devolvida",
    ),
    case(
        "a Dutch provider",
        """Uw bericht kon niet worden bezorgd bij de volgende geadresseerden:

jane@acme.example
Het e-mailadres bestaat niet.
""",
        sender="postmaster@provider.example",
        Subject="Onbestelbaar: offerte",
    ),
    case(
        "a Polish provider",
        """Wiadomość nie mogła zostać dostarczona do: jane@acme.example

Powód: nie ma takiego użytkownika
""",
        sender="mailer-daemon@provider.example",
        Subject="Zwrot wiadomości",
    ),
    case(
        "Yahoo",
        f"""Sorry, we were unable to deliver your message to the following address.

<jane@acme.example>:
554: delivery error: dd This user doesn't have a acme.example account (jane@acme.example) [0] - mta1.acme.example

--- Below this line is a copy of the message.

{ORIGINAL}""",
        sender="MAILER-DAEMON@yahoo.example",
        Subject="Failure Notice",
    ),
    case(
        "Mailman, not a member",
        """You are not allowed to post to this mailing list, and your message has
been automatically rejected.  If you think that your messages are
being rejected in error, contact the mailing list owner at
board-owner@acme.example.
""",
        ("board@acme.example", "blocked"),
        sender="board-bounces@acme.example",
        Subject="Your message to Board was rejected: Offer to board@acme.example",
        Return_Path="<>",
    ),
    case(
        "an HTML report alone",
        """<html><body><h2>Delivery has failed to these recipients or groups:</h2>
<p><a href="mailto:jane@acme.example">jane@acme.example</a><br>The email address you entered couldn't be found.
Please check the recipient's email address and try to resend the message.</p>
<p><b>Diagnostic information for administrators:</b></p><p>Generating server: AM0PR01.prod.outlook.example</p>
<p>jane@acme.example<br>Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found'</p></body></html>
""",
        sender="Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@acme.example>",
        Subject="Undeliverable: Offer",
        Content_Type="text/html; charset=utf-8",
    ),
    case(
        "Gmail, text alone",
        """
** Address not found **

Your message wasn't delivered to jane@acme.example because the address couldn't be found, or is unable to receive mail.

Learn more here: https://support.google.example/mail/?p=NoSuchUser

The response was:

550 5.1.1 The email account that you tried to reach does not exist.
""",
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        Subject="Delivery Status Notification (Failure)",
    ),
    case(
        "Gmail, the domain",
        """
** Address not found **

Your message wasn't delivered to jane@acme.example because the domain acme.example couldn't be found. Check for typos or unnecessary spaces and try again.

The response was:

DNS Error: DNS type 'mx' lookup of acme.example responded with code NXDOMAIN Domain name not found: acme.example
""",
        (JANE, "domain_gone"),
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        Subject="Delivery Status Notification (Failure)",
    ),
    case(
        "Gmail, blocked",
        """
** Message blocked **

Your message to jane@acme.example has been blocked. See technical details below for more information.

The response was:

550 5.7.1 Message rejected due to content restrictions
""",
        (JANE, "blocked"),
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        Subject="Delivery Status Notification (Failure)",
    ),
    case(
        "Gmail, a delay",
        """
** Delivery incomplete **

There was a temporary problem delivering your message to jane@acme.example. Gmail will retry for 47 more hours. You'll be notified if the delivery fails permanently.

The response was:

The recipient server did not accept our requests to connect.
""",
        (JANE, "transient"),
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        Subject="Delivery Status Notification (Delay)",
    ),
    case(
        "Exchange 2010, in German",
        mixed(
            """Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Verteilerlisten:

jane@acme.example
Die eingegebene E-Mail-Adresse wurde nicht gefunden. Überprüfen Sie die E-Mail-Adresse des Empfängers, und versuchen Sie, die Nachricht erneut zu senden.

Diagnoseinformationen für Administratoren:

Generierender Server: mail.acme.example

jane@acme.example
#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##rfc822;jane@acme.example
"""
        ),
        sender="Microsoft Outlook <postmaster@acme.example>",
        Subject="Unzustellbar: Angebot",
        Content_Type=MIXED,
    ),
    case(
        "Exchange 2010, in Spanish, full",
        mixed(
            """Error al entregar a los siguientes destinatarios o grupos:

jane@acme.example
El buzón del destinatario está lleno y no puede aceptar mensajes en este momento. Intente enviar el mensaje más tarde.

Información de diagnóstico para los administradores:

Generando servidor: mail.acme.example

jane@acme.example
#554 5.2.2 mailbox full ##
"""
        ),
        (JANE, "full"),
        sender="Microsoft Outlook <postmaster@acme.example>",
        Subject="No se puede entregar: Oferta",
        Content_Type=MIXED,
    ),
    case(
        "Mimecast",
        """This is a delivery failure notification message indicating that
an email you addressed to email address :
-- jane@acme.example

could not be delivered. The problem appears to be :
-- Recipient email server rejected the message

Additional information follows :
-- 5.1.1 <jane@acme.example>: Recipient address rejected: User unknown

This condition occurred after 1 attempt(s) to deliver over
a period of 0 hour(s).
""",
        sender="Postmaster <postmaster@ours.example>",
        Subject="[Postmaster] Email Delivery Failure",
    ),
    case(
        "Barracuda",
        mixed(
            """**** This is an automatically generated message ****

Your message to: jane@acme.example
was blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:

Subject: Offer
"""
        ),
        (JANE, "blocked"),
        sender="<barracuda@acme.example>",
        Subject="**Message you sent blocked by our bulk email filter**",
        Content_Type=MIXED,
        Return_Path="<>",
    ),
    case(
        "Symantec mail gateway",
        """The following message to <jane@acme.example> was undeliverable.
The reason for the problem:
5.1.0 - Unknown address error 550-'5.1.1 unknown user'
""",
        sender="Mail Delivery System <MAILER-DAEMON@mx.ours.example>",
        Subject="Delivery Status Notification (Failure)",
    ),
    case(
        "LISTSERV",
        """The enclosed message has been identified as a delivery error for the BOARD list because it was sent to the reserved 'owner-board' mailbox.

The following addresses had delivery problems: jane@acme.example
550 5.1.1 User unknown
""",
        sender="L-Soft list server at LISTS.ACME.EXAMPLE <LISTSERV@lists.acme.example>",
        Subject="BOARD: error report from MX.ACME.EXAMPLE",
    ),
    case(
        "PMDF",
        """This report relates to a message you sent with the following header fields:

  Return-path: <ann@ours.example>
  Message-id: <offer-1@ours.example>
  Subject: Offer

Your message cannot be delivered to the following recipients:

  Recipient address: jane@acme.example
  Reason: Illegal host/domain name found
""",
        (JANE, "domain_gone"),
        sender="PMDF e-Mail Interconnect <postmaster@ours.example>",
        Subject="Delivery Notification: Delivery has failed",
    ),
    case(
        "SMTP32",
        """Unknown host: jane@acme.example

Original message follows.
""",
        (JANE, "domain_gone"),
        sender="Postmaster <postmaster@ours.example>",
        Subject="Undeliverable Mail",
    ),
    case(
        "Merak",
        """This message was created automatically by the mail server.

The message could not be delivered to the following recipient(s):

Recipient: <jane@acme.example>
Reason: 550 5.1.1 <jane@acme.example> User unknown; rejecting
""",
        sender="Postmaster <postmaster@ours.example>",
        Subject="Delivery Failure",
    ),
    case(
        "Zimbra in French",
        """Je suis désolé de vous informer que votre message n'a pu être délivré
à un ou plusieurs destinataires.

<jane@acme.example>: Destinataire inconnu
""",
        sender="Mail Delivery System <MAILER-DAEMON@mx.acme.example>",
        Subject="Undelivered Mail Returned to Sender",
    ),
    case(
        "Yandex",
        """This is the mail system at host forward1.mail.yandex.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

<jane@acme.example>: host mx.acme.example[192.0.2.7] said: 550 5.7.1 No such user! (in reply to RCPT TO command)
""",
        sender="mailer-daemon@yandex.example",
        Subject="Недоставленное сообщение",
    ),
    case(
        "docomo",
        """The user you sent to is not found, or the address is wrong.

次のあて先へのメッセージはエラーのため送信できませんでした。
送信先メールアドレスが見つかりません。
<jane@acme.example>
""",
        sender="mail-daemon@docomo.example",
        Subject="Undelivered Mail Returned to Sender",
    ),
    case(
        "an X.400 gateway",
        """Your message was not delivered to
   jane@acme.example
for the following reason:
   Recipient's mailbox unavailable
   Unable to transfer: unrecognised-ORName
""",
        sender="X400 Gateway <postmaster@gw.acme.example>",
        Subject="Non-Delivery Report",
    ),
    case(
        "cc:Mail",
        """Message could not be delivered because the following users were not found:

   jane@acme.example: Unknown user

""",
        sender="ccMail SMTPLINK <postmaster@acme.example>",
        Subject="Undeliverable message",
    ),
    case(
        "Netease, in Chinese",
        """抱歉，您的邮件被退回来了

退信代码：550 User not found: jane@acme.example
收件人：jane@acme.example
您的邮件无法送达，收件人不存在
""",
        sender="postmaster <Postmaster@163.example>",
        Subject="系统退信",
    ),
    case(
        "Naver, in Korean",
        """메일이 전송되지 않았습니다.

받는 사람: jane@acme.example
사유: 존재하지 않는 사용자입니다 (550 5.1.1 No such user)
""",
        sender="mailer-daemon@naver.example",
        Subject="[발송실패 안내] Offer",
    ),
    case(
        "a Swedish provider",
        """Ditt meddelande kunde inte levereras till:

jane@acme.example
Mottagaren finns inte
""",
        sender="postmaster@provider.example",
        Subject="Kan inte levereras: Offert",
    ),
    case(
        "ezmlm",
        """Hi! This is the ezmlm program. I'm managing the
board@acme.example mailing list.

Sorry, only subscribers may post. Your message has not been accepted: you are not a subscriber of this mailing list.
""",
        ("board@acme.example", "blocked"),
        sender="board-owner@acme.example",
        Subject="failure notice",
        Return_Path="<>",
    ),
    case(
        "a provider that puts the reason in brackets",
        "The original message was received at Thu, 29 Apr 2010 23:34:45 +0900\nfrom pc.ours.example\n\n---The following addresses had delivery errors---\n\njane@acme.example [User unknown]\n\n---The header of the original message---\n"
        + ORIGINAL,
        Subject="Returned Mail: User unknown",
    ),
    case(
        "a provider that lists with stars",
        "      ==================================================================\n      This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to all of its recipients. The following address(es) failed:\n\n  * jane@acme.example\n    No such user\n\n",
        Subject="Mail delivery failed",
    ),
    case(
        "a qmail clone",
        "We're sorry. There's a problem with the e-mail address(es) you're trying to send to. Please verify the address(es) and try again. If you continue to have problems, please contact Customer Support at (480) 624-2500.\n\n<jane@acme.example>:\nThis account is over quota\n\n--- Below this line is a copy of the message.\n"
        + ORIGINAL,
        (JANE, "full"),
        Subject="failure notice",
    ),
    case(
        "Post.Office with a transcript",
        mixed(
            "This Message was undeliverable due to the following reason:\n\nEach of the following recipients was rejected by a remote mail server.\nThe reasons given by the server are included to help you determine why\neach recipient was rejected.\n\n    Recipient: <jane@acme.example>\n    >>> RCPT TO:<jane@acme.example>\n    <<< 550 <jane@acme.example>: User unknown\n\nPlease reply to postmaster@acme.example"
        ),
        Content_Type=MIXED,
        sender="Postmaster <Postmaster@ezweb.example>",
        Subject="Mail System Error - Returned Mail",
    ),
    case(
        "IMail with the reply",
        "undeliverable to jane@acme.example\nBody of message generated response:\n550 user not known\n",
        sender="Postmaster <postmaster@ours.example>",
        Subject="Undeliverable Mail",
    ),
    case(
        "IMail after many attempts",
        "Delivery failed 20 attempts: jane@acme.example\n\nOriginal message follows.\n\n" + ORIGINAL,
        (JANE, "transient"),
        sender="Postmaster <postmaster@ours.example>",
        Subject="Undeliverable Mail",
    ),
    case(
        "McAfee",
        "    --- The following addresses had delivery problems ---\n\n<jane@acme.example>   (User unknown jane@acme.example)\n",
        sender="<>",
        Subject="Delivery Status",
    ),
    case(
        "one sentence with the reason",
        mixed(
            "The following message could not be delivered because the address jane@acme.example does not exist"
        ),
        Content_Type=MIXED,
        sender="MAILER-DAEMON@acme.example",
        Subject="Undeliverable mail",
    ),
    case(
        "phquery",
        'Message not delivered to the following:\n\n    jane    No matches to nameserver query\n\n    Error Detail (phquery V4.4):\n\n    The message, "Offer", sent to jane@acme.example, was not delivered. \n'
        + ORIGINAL,
        (JANE, "transient"),
        sender="mailer-daemon@acme.example",
        Subject="Returned mail: failed",
    ),
    case(
        "PMDF style lines",
        "On: 4-MAY-2026 Your mail to jane@acme.example could not be delivered\n\n The following addresses were not found: <jane@acme.example>\n",
        sender="postmaster@acme.example",
        Subject="Failed mail",
    ),
    case(
        "an intended recipient",
        "We are sorry, your mail could not be delivered.\n\nIntended recipient: <jane@acme.example>\n\nReason: mailbox is full\n\n--------RETURNED MAIL FOLLOWS--------\n"
        + ORIGINAL,
        (JANE, "full"),
        sender="postmaster@usa.example",
        Subject="Returned mail",
    ),
    case(
        "an undeliverable address",
        "Undeliverable Address: jane@acme.example\nReason: mailbox quota exceeded\n\nOriginal message attached\n",
        (JANE, "full"),
        sender="postmaster@hotpop.example",
        Subject="Undeliverable",
    ),
    case(
        "OpenSMTPD, nothing accepted",
        "    Hi!\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\njane@acme.example: Destination seem to reject all mails\n\n    Below is a copy of the original message:\n"
        + ORIGINAL,
        (JANE, "blocked"),
    ),
    case(
        "Domino, ambiguous name",
        mixed(
            "Your message\n\n  Subject: Offer\n\nwas not delivered to:\n\n  jane@acme.example\n\nbecause:\n\n  Recipient user name jane (jane@acme.example) not unique.  Several matches found in Domino Directory.\n"
        ),
        (JANE, "other"),
        sender="postmaster@acme.example",
        Content_Type=MIXED,
        Subject="DELIVERY FAILURE: Recipient user name not unique",
    ),
    case(
        "GroupWise with a name alone",
        "The message that you sent was undeliverable to the following:\n\tJane Roe (user not found)\n\nPossibly truncated original message follows:\n\n"
        + ORIGINAL,
        sender="postmaster@acme.example",
        Subject="Message status - undeliverable",
    ),
    case(
        "MDaemon, the older transcript",
        "The following addresses did NOT receive a copy of your message:\n\n> jane@acme.example\n\n--- Session Transcript ---\n >>> RCPT To:<jane@acme.example>\n <<< 550 <jane@acme.example> unknown user account\n",
        sender="MDaemon@ours.example",
        Subject="Permanent Delivery Failure",
    ),
    case(
        "a handheld gateway",
        "Your message could not be delivered to the handheld of jane@acme.example.\nThe BlackBerry user is not found.\n",
        sender="postmaster@blackberry.example",
        Subject="Undeliverable",
    ),
    case(
        "qmail in Spanish",
        "Este es el servidor de correo de provider.example.\n\nLo sentimos, no hemos podido entregar su mensaje a la siguiente direccion:\n\n<jane@acme.example>:\nEl usuario no existe en este servidor.\n",
        sender="MAILER-DAEMON@provider.example",
        Subject="failure notice",
    ),
    case(
        "Sina, in Chinese",
        "您好，您的邮件未能送达以下收件人：\n\njane@acme.example\n\n原因：用户不存在\n",
        sender="postmaster@sina.example",
        Subject="系统退信/Systems bounce",
    ),
    case(
        "Exchange with quotes",
        "Your message did not reach some or all of the intended recipients.\n\n      Subject:\tOffer\n\nThe following recipient(s) could not be reached:\n\n      'jane@acme.example' on 5/4/2026 9:30 AM\n            550 5.1.1 User unknown\n",
        sender="System Administrator <postmaster@ours.example>",
        Subject="Undeliverable: Offer",
    ),
)
