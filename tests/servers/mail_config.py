"""What Dovecot and Postfix are told: one folder, loopback only, high ports, nothing of the system's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

OURS = "vendor.example"
"""The domain whose mail Postfix delivers to Dovecot; every other domain's goes to the customers' server."""

OWNER = "mail"
"""The system user that owns the mailboxes; every Debian has it."""


@dataclass(frozen=True)
class Ports:
    """Where the servers listen on loopback."""

    imap: int
    imaps: int
    lmtp: int
    smtp: int
    customers: int
    tokens: int


def dovecot(base: Path, ports: Ports) -> str:
    """Return dovecot.conf.

    Each user has a password file, so that a new one is known at once, and an unknown one refused at once; a
    static user database would defer his mail. Sieve's vacation replies leave through Postfix.
    """
    return f"""
base_dir = {base}/dovecot
state_dir = {base}/dovecot
log_path = {base}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{base}/cert.pem
ssl_key = <{base}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_fsync = never
submission_host = 127.0.0.1:{ports.smtp}
postmaster_address = postmaster@{OURS}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = username_format=%u {base}/users/%u
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {base}/oauth2.conf
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {base}/users/%u
  default_fields = uid={OWNER} gid={OWNER} home={base}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox "Sent Mail" {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Spam {{
    auto = subscribe
    special_use = \\Junk
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {ports.imap}
  }}
  inet_listener imaps {{
    port = {ports.imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {ports.lmtp}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
protocol imap {{
  rawlog_dir = {base}/mail/%u/rawlog
  mail_max_userip_connections = 100
}}
protocol lmtp {{
  mail_plugins = $mail_plugins sieve
}}
plugin {{
  sieve = file:~/.dovecot.sieve
  sieve_vacation_min_period = 0
  sieve_vacation_send_from_recipient = yes
}}
"""


def introspection(ports: Ports) -> str:
    """Return the configuration by which Dovecot asks whether an access token is good (RFC 7662)."""
    return f"""
introspection_mode = post
introspection_url = http://127.0.0.1:{ports.tokens}/introspect
username_attribute = username
active_attribute = active
active_value = true
"""


def postfix_main(base: Path, ports: Ports) -> str:
    """Return main.cf. Unknown recipients are accepted and then bounced, so that Postfix writes a DSN."""
    return f"""
compatibility_level = 3.6
queue_directory = {base}/postfix/spool
data_directory = {base}/postfix/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.{OURS}
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = no
disable_dns_lookups = yes
smtp_host_lookup = native
alias_maps =
alias_database =
virtual_mailbox_domains = {OURS}
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:inet:127.0.0.1:{ports.lmtp}
default_transport = smtp:[127.0.0.1]:{ports.customers}
lmtp_destination_concurrency_failed_cohort_limit = 0
smtp_destination_concurrency_failed_cohort_limit = 0
notify_classes =
minimal_backoff_time = 5s
maximal_backoff_time = 10s
queue_run_delay = 5s
delay_warning_time = 20s
maximal_queue_lifetime = 60s
bounce_queue_lifetime = 60s
maillog_file = {base}/postfix.log
maillog_file_prefixes = {base}
"""


def postfix_master(ports: Ports) -> str:
    """Return master.cf: the services of one instance, none of them in a chroot."""
    return f"""
127.0.0.1:{ports.smtp} inet n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 5 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
lmtp      unix  - - n - - lmtp
error     unix  - - n - - error
retry     unix  - - n - - error
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""
