"""What mail systems say when they refuse a mail, as tables that anybody can extend.

`DIAGNOSES` comes first: groups of phrases, each group with the kind it stands for and the reason. The groups
are tried from the top, and the first phrase found decides, so a phrase that excuses the recipient ("sender
address rejected: user unknown") stands above one that accuses him ("user unknown"). `CODES` decides where no
phrase is known. To teach the reader a new wording, add one line to the group it belongs to:

    words of the phrase :: a diagnostic that contains it

The notation is that of `watchers.mail.wording`. A test reads every line's example and wants its kind.

Sources: RFC 3463 and RFC 5248 with the IANA registry of enhanced status codes; the documentation and the
published replies of the mail systems and providers.
"""

# ruff: noqa: RUF001 - the phrases are in many alphabets

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from watchers.mail.wording import Index, Phrase, phrases, plain

GONE, DOMAIN, FULL = "mailbox_gone", "domain_gone", "full"
BLOCKED, TRANSIENT, FEEDBACK, OTHER = "blocked", "transient", "feedback", "other"


@dataclass(frozen=True, slots=True)
class Group:
    """Phrases that mean the same: `kind`, `why` in words for a human, and the `rows` as described above.

    `vague` phrases are what a system says when it says nothing else: all else is looked for first.
    """

    kind: str
    why: str
    rows: str
    vague: bool = False


DIAGNOSES = (
    Group(
        OTHER,
        "the reason given is none",
        """
unknown (mailer|error|failure|reason|status|problem|exception|smtp|\
cause) :: 554 5.3.0 unknown mailer error 255
service refuse~ :: 550 5.5.0 Service refuse. Veuillez essayer plus tard. service refused, please try \
later. LPN001_108
(not unique|several matches|\
ambiguous) :: Recipient user name jane (jane@acme.example) not unique. Several matches found
(recipient error|undefined error|unspecified error) :: 451 4.3.0 This message could not be delivered due \
to a recipient error. Please try again later.
""",
    ),
    Group(
        TRANSIENT,
        "the sending side itself could not go on, or asks to be tried again",
        """
host not found try again :: Name service error for domain acme.example: Host not found, try again
(greylist~|graylist~|grey listed|gray listed) :: 451 4.7.1 Greylisting in action, please come back later
too many hops :: 554 5.4.6 Too many hops
(duplicated message id|loop alert) :: Loop Alert: Duplicated Message-ID
(mail|routing|message|delivery) loop~ :: 550 5.4.6 Unable to deliver: mail loop detected
loops back to myself :: 553 5.3.5 mx.acme.example config error: mail loops back to me (loops back to \
myself)
hop count exceeded :: 554 5.4.14 Hop count exceeded - possible mail loop
temporary lookup failure :: 451 4.3.0 <jane@acme.example>: Temporary lookup failure
unverified (address|recipient) :: 450 4.1.1 <jane@acme.example>: Recipient address rejected: unverified \
address
unable to verify (the |)(recipient|user) :: 451 unable to verify recipient
recipient address verification in progress :: 450 4.1.1 Recipient address verification in progress
insufficient system (disk |)(storage|space|resources) :: 452 4.3.1 Insufficient system storage
insufficient disk space :: 452 4.4.5 Insufficient disk space; try again later
recipient verify temporarily :: 451 recipient verify temporarily failed
could not complete (recipient|sender) verify :: 451 Could not complete recipient verify callout
system resources :: 452 4.3.1 Out of system resources
""",
    ),
    Group(
        BLOCKED,
        "the sender was refused, not the recipient",
        """
sender address (rejected|refused|denied|invalid|unknown|verification|not|\
blocked) :: 553 5.1.8 <ann@ours.example>: Sender address rejected: Domain not found
(sender|senders) (was |is |has been |)(rejected|denied|refused|blocked|unknown|invalid|blacklisted|\
banned|unauthenticated|unacceptable) :: 550 5.1.0 <ann@ours.example> sender rejected
sender (is |)not (allowed|authorized|authorised|authenticated|accepted|permitted|\
in) :: 550 5.7.1 RESOLVER.RST.NotAuthorized; sender not authorized
(verification|verify|callout|validation|check) (of|for) (the |\
)sender :: 550-Callout verification of sender failed: 550 no such user
sender (verify|verification) :: 550 Sender verify failed
(invalid|unknown|bad|unacceptable|forged|fake|unauthorized|restricted|unresolvable) (sender|return path|\
envelope sender|reverse path|from address|mail from) :: 553 Invalid sender
domain of sender :: 553 5.1.8 <ann@ours.example>... Domain of sender address ann@ours.example does not \
exist
sender s (domain|address|server|ip) :: 550 cannot find the sender's domain
(sender|sending|senders) (domain|host|ip|server|mta) .. (not|invalid|unresolv~|reject~|denied|\
fail~|block~|missing|unknown|bad|must) :: 450 4.1.8 Sender domain must resolve
your (domain|address|email address|sender address|host) (is|was|has been|does|could|cannot|can) .. (not|\
block~|reject~|denied|black~|ban~|invalid) :: 550 Your domain is not allowed here
mail from (domain|address|command) :: 550-5.1.0 MXIN506 MailFrom domain (mail from domain) is listed
mailfrom domain :: 550 5.1.0 MXIN506 MailFrom domain is listed in Spamhaus
mail from addr (is |)(rejected|refused|denied|blocked|\
not) :: 554 Mail from ann@ours.example rejected for policy reasons.
envelope sender :: 550 The envelope sender is on a list of blocked addresses
(unauthenticated|un authenticated) :: 550 Unauthenticated senders not allowed
(authentication|auth|authorization) (is |)(required|needed|failed|failure|information|\
error) :: 530 5.7.0 Authentication required
smtp auth~ :: 550-Please turn on SMTP Authentication in your mail client.
(must|need to|please) (be |)(authenticate~|log in|login) :: 550 You must authenticate before sending
not (authenticated|authorized|authorised|permitted|allowed) to (send|relay|submit|post|deliver|use|\
email) :: 550 5.7.1 Client was not authenticated to send anonymous mail during MAIL FROM
(spf|dkim|dmarc|senderid|sender id|sender policy framework) :: 550 5.7.23 The message was rejected \
because of Sender Policy Framework (SPF) violation
reverse (dns|lookup|name|hostname|path) :: 550 5.7.25 Reverse DNS validation failed
(dns ptr|ptr record|rdns|no ptr|bad ptr|ptr lookup|ip name lookup|cannot find your hostname|\
find your reverse hostname|fcrdns) :: 554 Bad DNS PTR resource record.
(client|helo|ehlo) (host |command |name |hostname |)(is |was |)(rejected|blocked|denied|refused|invalid|\
not) :: 554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: cannot find your hostname
(invalid|bad|fake|forged|wrong|illegal) (helo|ehlo|client|\
greeting) :: 550 Bad HELO - Host impersonating us
too many (recipients|connections|concurrent|invalid recipients|invalid commands|messages (per|sent|from|\
in this session|today)|mails (per|sent|from)|emails (per|sent|from)|bad|unknown|errors|wrong|sessions|\
sending|deliveries|requests|simultaneous|failed|rejected|different|email|mail|rcpt|\
smtp) :: 452 4.5.3 Too many recipients
(sent|send) to too many :: 550 5.1.1 <jane@acme.example> - 192.0.2.5 has sent to too many recipients \
this hour
(rate|ratelimit~|frequency|velocity|connection) (limit~|control~|\
exceeded) :: 451 4.7.650 The mail server has been temporarily rate limited due to IP reputation
ratelimit~ :: 450 4.7.1 ratelimited, try again later
(frequency|volume|quantity) (limited|limit|exceeded) :: 550 Ip frequency limited
throttl~ :: 421 4.7.0 [TSS04] Messages temporarily deferred: throttled
receiving (mail|email) (at a rate|too) :: 450-4.2.1 The user you are trying to contact is receiving mail \
at a rate that prevents additional messages
receiving too many :: 450 4.2.1 this mailbox is receiving too many messages too quickly
(sending|delivering|connecting) too (fast|many|much|quickly|often) :: 421 You are sending too fast
unusual rate :: 421-4.7.28 Gmail has detected an unusual rate of unsolicited mail
(daily|hourly|sending|message|messages|outbound|submission|recipient) (sending |)(limit|limits|\
quota) (is |was |has been |been |)(exceed~|reached) :: 550 5.4.5 Daily sending quota exceeded
exceeded (the |your |its |)(maximum |max |)(daily |hourly |number of |)(sending|messages|emails|\
connections|recipients per|defers) :: 550 Domain ours.example has exceeded the max emails per hour
exceeded the max (emails|defers) :: 550 Domain ours.example has exceeded the max emails per hour (100) \
allowed
(dictionary|directory harvest|harvesting|harvest) (attack~|\
) :: 550 5.7.1 Rejected: directory harvest attack
(sender|user|domain) (is |)(listed|blacklisted|\
blocklisted) :: 550 5.7.1 Your domain is listed; domain listed in a block list
originating ip :: 554 5.7.1 The originating IP is on our list
sending ip :: 550 5.7.606 Access denied, banned sending IP [192.0.2.1]
insecure mail relay :: 550 Insecure Mail Relay
open relay :: 501 no access from mail server [192.0.2.55] which is an open relay.
temporary locked :: 550 5.7.1 <jane@acme.example>: Recipient address rejected: User jane@acme.example \
temporary locked. Please try again later!
group you tried to contact :: We're writing to let you know that the group you tried to contact (board) \
may not exist
not (a |)(member|subscriber|subscribed) :: You are not a member of this mailing list <board@acme.example>.
(only|restricted to) (members|subscribers|moderators) :: Only members may post messages to this list
(members|subscribers|moderators) only :: 550 Posting to this list is for members only
non (member|subscriber)~ :: Post by non-member to a members-only list
restricted (list|group|mailing list) :: The list is a restricted list
awaits moderator approval :: Your mail to 'Board' is being held: it awaits moderator approval
(moderat~|list owner) .. (reject~|approv~|refus~) :: The moderator of the list rejected your message
""",
    ),
    Group(
        FULL,
        "the mailbox is full, so it exists",
        """
(mailbox|mail box|inbox|maildrop|mbox|mail file|mail folder|account|box|user s mailbox|\
recipient s mailbox|his mailbox|her mailbox) (is |was |)(now |currently |temporarily |already |almost |\
)(full|overquota|over quota|exceeded|overfull|too full|out of space) :: 552 5.2.2 Mailbox full
(mailbox|mailfolder|maildir|inbox|mailbox quota|mailbox size|mailbox storage|storage|disk|user|users|\
message store|account|recipient) (disk |storage |size |space |message |mail |)(quota|limit|capacity|\
allocation|threshold) (is |was |has been |been |would be |will be |)(exceed~|full|reached|overdrawn|\
surpassed) :: 452 4.2.2 Mailbox quota exceeded
(over|above|exceeds|exceeded|exceed|exceeding|over the|exceeded the|exceeds the|exceeded his|\
exceeded their|exceeded its|exceeds its|exceeded her|out of|beyond|past) (allowed |allotted |mailbox |\
storage |disk |mail |email |user |maximum |message |account |his |their |its |her |)(quota|mailbox quota|\
mailbox size|storage|space|storage limit|size limit|disk quota|storage quota|mail quota|\
limit for mailbox|mailbox limit|storage space|storage allocation|\
mailbox storage) :: 550 account has exceeded storage limit, over mailbox size
(over|overdrawn|beyond|above|exceeds|exceeded) (the |its |his |their |\
)quota :: 550 5.2.2 The email account that you tried to reach is over quota
overquota :: 554 5.2.2 mailbox overquota
quota (is |was |has been |)(exceeded|full|exceeds|exceed|reached|violation|exhausted|overrun|used up|\
limit exceeded) :: 552 Quota exceeded
quotaexceeded :: 554 5.2.2 STOREDRV.Deliver; QuotaExceeded
(quotaexceededexception|mapiexceptionshutoffquotaexceeded|\
mapiexceptionquotaexceeded) :: 554 5.2.2 mailbox full; \
STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded
disk quota :: /home/jane/Maildir/tmp/1.host: Disk quota exceeded
not enough (storage|space|disk|room|quota) :: 552 Not enough storage space
(no|insufficient|out of|lack of) (mailbox |disk |)(space|room|storage) .. (mailbox|user|recipient|left|\
account) :: 552 insufficient space in mailbox
(too much|excess) (mail|mail data|data) .. (mailbox|server|\
stored) :: 550 5.2.2 Sorry, too much mail data in the mailbox
mailbox .. (over|exceeds|exceeded) (its |the |)(quota|size|limit|allowed|maximum|\
storage) :: 550 The mailbox of the user is over the limit; mailbox has exceeded the limit
(mailbox size|message store|size of the mailbox|size of mailbox|mailbox storage) (limit|\
exceed~) :: 552 Requested mail action aborted: mailbox size limit
exceeded storage (allocation|limit) :: 552 Requested mail action aborted: exceeded storage allocation
mailbox (exceeds|exceeded|exceed) (the |)(allowed |maximum |)(size|space|quota|\
storage) :: User mailbox exceeds allowed size: jane@acme.example
user is over (the |)(quota|limit|storage) :: 452 user is over the storage limit
not (able to|accepting) (receive|messages|mail|new) .. (full|quota|\
storage) :: 552 recipient is not accepting messages because the store is full
number of messages in recipient s mailbox exceeded :: The number of messages in recipient's mailbox \
exceeded the local limit.
too (many|much) (messages|mails|mail|email) (in|on) (the |this |)(mailbox|mail box|inbox|server|\
box) :: 552 There are too many messages in the mailbox
message would exceed :: 552 message would exceed the user's quota (message would exceed mailbox space)
(full mailbox|mailbox is full|mailboxfull|mailbox full|inbox full) :: 550 5.2.2 mailboxfull
(postfach|mailbox|posteingang|speicherplatz) .. (voll|überschritten|ueberschritten|überfüllt|erschöpft|\
gefüllt) :: 552 Das Postfach ist voll
speicherkontingent :: Das Speicherkontingent des Empfängers ist überschritten
quota überschritten :: 552 Quota überschritten
(boîte|boite|bal|messagerie) .. (pleine|saturée|saturee|quota|\
saturé) :: 552 La boîte aux lettres du destinataire est pleine
(dépassé|depasse|dépassement) .. quota :: 552 5.2.2 Dépassement de quota
quota .. (dépassé|depasse|atteint) :: 552 5.2.2 Le quota du destinataire est dépassé
(buzón|buzon|casilla|bandeja|cuota|buzón de correo) .. (lleno|llena|excedid~|superad~|\
agotad~) :: 552 El buzón del destinatario está lleno
(caixa|cota|quota|caixa postal) .. (cheia|excedid~|lotad~|ultrapassad~|\
esgotad~) :: 552 A caixa de correio do destinatário está cheia
(casella|mailbox|quota) .. (piena|esaurit~|superat~) :: 552 La casella di posta del destinatario è piena
(postvak|mailbox|brievenbus|postbus|quotum) .. (vol|\
overschreden) :: 552 Het postvak van de geadresseerde is vol
(skrzynka|skrzynki|limit skrzynki) .. (pełna|pelna|przepełniona|przepelniona|\
przekroczon~) :: 552 Skrzynka odbiorcy jest pełna
(ящик|ящика) .. (переполнен|переполненный|полон|превыш~) :: 552 Почтовый ящик получателя переполнен
(переполнен|превышена квота|квота превышена) :: 552 превышена квота
(schránka|schranka) .. (plná|plna|přeplněn~) :: 552 Schránka příjemce je plná
(postlåda|inkorg|brevlåda|postkasse|postboks|postilaatikko) .. (full|fuld|täynnä|\
fullt) :: 552 Mottagarens brevlåda är full
(posta kutusu|kutusu) .. (dolu|dolmuş) :: 552 Alıcının posta kutusu dolu
(メールボックス|受信箱|メールボックスの容量|メールbox|保存容量|受信容量|容量) .. (一杯|いっぱい|満杯|超過|\
超え|不足|\
オーバー) :: 送信先のメールボックスが一杯のため、送信できませんでした。
(メールボックスが一杯|メールボックスがいっぱい|メールボックス容量|容量オーバー|\
容量超過) :: 受信者のメールボックス容量を超えています
(邮箱已满|邮箱空间不足|信箱已满|邮箱容量|空间已满|信箱已滿|信箱空間不足|超过限额|超出配额|郵箱已滿|\
邮箱满) :: 552 对方邮箱已满
(편지함이 가득|용량이 초과|용량 초과|메일함이 가득) :: 수신자의 편지함이 가득 찼습니다
000b099c :: MSEXCH:IMS:ACME:SITE:SERVER 0 (000B099C) Message too large for the mailbox
space not enough :: 550 mail box space not enough
quota usage exceeded :: Mailbox quota usage exceeded
(user|recipient|addr) has exceeded :: user has Exceeded
exhausted (its |his |the |)(allowed |available |)(storage|space|\
quota) :: User has exhausted allowed storage space
mailfolder is full :: mailfolder is full
(mailbox|inbox|folder) for .. (full|quota) :: Mailbox for jane is full
(zu viele|zuviele) (mails|nachrichten|e mails) :: Benutzer hat zuviele Mails auf dem Server
over disk quota :: 550 user over disk quota
mail quota :: 552 mail quota exceeded for this user
""",
    ),
    Group(
        GONE,
        "the system that serves the domain does not know the address",
        """
[550] (unrouteable|unroutable) address :: 550 unrouteable address
[5.1.1] (unrouteable|unroutable) address :: 550 5.1.1 unrouteable address
""",
    ),
    Group(
        DOMAIN,
        "the domain takes no mail, whoever the recipient",
        """
(host|hostname|host name|mail host|destination host|remote host) (is |)(unknown|not found|nonexistent|\
non existent|could not be found|couldn t be found|cannot be found|does not exist|\
doesn t exist) :: 550 5.1.2 <jane@acme.example>... Host unknown
(unknown|invalid|bad|illegal|nonexistent|non existent|unresolvable|unroutable|unrouteable) (mail |email |\
recipient |destination |)(host|domain|hostname|domain name|host name|\
host domain name) :: Unknown host: jane@acme.example
illegal host domain name found :: 554 Illegal host/domain name found
no such (mail |)(host|domain|domain name) :: 550 No such domain at this location
(domain|domain name|recipient domain|destination domain|email domain|mail domain|server domain) (addr |\
of recipient |)(is |was |does |)(unknown|not found|does not exist|doesn t exist|not exist|\
could not be found|couldn t be found|can t be found|cannot be found|cannot be resolved|\
could not be resolved|invalid|nonexistent|non existent|not valid|isn t valid|not registered|expired|\
not resolve|not known|no longer exist~|not resolvable) :: Domain does not exist
because the domain .. (couldn t|could not|can t|\
cannot) be found :: Your message wasn't delivered to jane@acme.example because the domain acme.example \
couldn't be found.
(nxdomain|nonexistentdomain|hostnotfound|\
domainnotfound) :: DNS Error: 80335577 DNS type 'mx' lookup of acme.example responded with code NXDOMAIN
dns domain .. (does not exist|doesn t exist|\
not exist) :: 550 5.4.310 DNS domain acme.example does not exist [Message=InfoDomainNonexistent]
infodomainnonexistent :: 550 5.4.310 [Message=InfoDomainNonexistent]
(null mx|nullmx) :: The domain acme.example doesn't receive email according to the administrator: \
returned Null MX
(doesn t|does not|cannot|can not|did not|do not|will not) (receive|accept) (any |)(email|mail|\
e mail) (according|for|at|from anyone|here|\
nullmx) :: 556 5.1.10 Domain acme.example does not accept mail (nullMX)
domain .. (does not|doesn t|not) (accept|receive) (any |)(mail|email|\
e mail) :: 554 The domain acme.example does not accept mail
no (valid |usable |suitable |)(mx|mail exchanger|mail exchange|mx record~|mx host~|\
mx or a record~) :: No mx record found for domain=acme.example
(has|have) no (mx|mail exchanger|mail exchangers|valid mx|dns|\
mail server) :: 550 Domain has no MX or A record
(couldn t|could not|cannot|can t|unable to) (find|locate|resolve|look up|lookup) (any |a |the |)(host|\
mail exchanger|mx|domain|mail server|hostname|ip address|dns|recipient domain|\
recipient s domain) :: Sorry, I couldn't find any host named acme.example. (#5.1.2)
(couldn t|could not|cannot) find any host :: Sorry, I couldn't find any host by that name. (#4.1.2)
(couldn t|could not|cannot|can t) find (a |the |any |)(mail server|mail exchanger|\
mx) :: Unknown mail server. Could not find a mail server for acme.example.
best preference mx :: Sorry. Although I'm listed as a best-preference MX, I \
could not find a mail exchanger or IP address. (#5.4.4)
all relevant mx records point to :: all relevant MX records point to non-existent hosts
(mx|mail exchanger|dns) (lookup|look up|records|record|query) .. (does not exist|doesn t exist|\
point~ to non|not found|no such|nonexistent) :: 550 MX lookup says the host does not exist
name service error .. host not found :: Host or domain name not found. Name service error for \
name=acme.example type=A: Host not found
name service error .. host found but no data :: Name service error for name=acme.example type=MX: Host \
found but no data record of requested type
host or domain name not found :: Host or domain name not found
(unrouteable|unroutable) mail domain :: unrouteable mail domain "acme.example"
indicated no smtp service :: an MX or SRV record indicated no SMTP service
unrouteable address :: jane@acme.example Unrouteable address
unroutable address :: all hosts failed; unroutable address
(the |)recipient domain .. (does not|doesn t) exist :: 550 The recipient domain you sent to does not exist
domain (is |)(not hosted|not handled|not local|is not hosted) :: 550 domain not hosted here
domain .. (no longer|not) (hosted|handled|served|in service|active|\
in use) :: 550 The domain acme.example is no longer in service
domain .. (deactivated|disabled|suspended|inactive|terminated|has expired) :: 550 This domain is disabled
(domain|domäne|domaine|dominio|domínio|domein|domena) .. (nicht gefunden|existiert nicht|unbekannt|\
introuvable|inconnu|n existe pas|no existe|desconocido|não existe|nao existe|desconhecido|non esiste|\
sconosciuto|bestaat niet|onbekend|nie istnieje) :: Die Domäne acme.example existiert nicht
(unbekannter|ungültiger|unbekannte|ungültige) (host|rechner|domain|domäne|\
zielhost) :: 550 Unbekannter Host
(hôte|hote|serveur) .. (inconnu|introuvable) :: 550 Hôte inconnu
(ドメインが存在|ドメインは存在|ドメインが見つかり|ホストが見つかり|\
宛先ドメイン) :: 宛先のドメインが存在しません
(домен|хост) .. (не существует|не найден) :: Домен acme.example не существует
(域名不存在|域名错误|找不到域|域名无法解析|无法找到域) :: 收件人域名不存在
""",
    ),
    Group(
        GONE,
        "there is no such mailbox",
        """
(user|users|recipient|mailbox|account|addressee|local user|local part|email address|e mail address|\
mail address|address|user name|username|login|alias|name|destination|email account|mail account|receiver|\
target|destinatario|person|rcpt) (addr |in |)(is |was |)(an |)(unknown|nonexistent|non existent|\
not known|not exist|inexistent|unexistent|inexisting|non existing|\
not existing) :: 550 5.1.1 <jane@acme.example>... User unknown
(unknown|nonexistent|non existent|inexistent|non existing|nonexisting|unrecognized|unrecognised|\
unregistered|no valid) (local |mail |email |e mail |)(user|users|recipient|recipients|mailbox|account|\
addressee|address|alias|local part|localpart|username|user name|name|subscriber|destination address|\
destination mailbox|destination|receiver|rcpt|forward path|user account|or illegal user|or illegal alias|\
mobile number) :: 550 Unknown user jane@acme.example
unknown or illegal (alias|user|address) :: 550 5.1.1 unknown or illegal alias: jane@acme.example
(unknown|undefined) .. (recipient|user|mailbox) (specified|here|\
name) :: 550 unknown mail recipient specified
(userunknown|unknownuser|nosuchuser|recipnotfound|recipientnotfound|usernotfound|exrecipnotfound|\
unknownrecipient|invalidrecipient|mailboxnotfound|\
recipientunknown) :: 550 5.1.1 RESOLVER.ADR.RecipNotFound; not found
(no|non|not) such (a |)(local |mail |email |e mail |)(user|users|recipient|recipients|mailbox|account|\
addressee|address|person|alias|local part|name|subscriber|destination|receiver|mail box|mail drop|\
maildrop|customer|id|login|member|username|userid|virtual user|mail user|list|group|folder|people|rcpt|\
mail address|recipent|email) :: 550 No such user here
no mailbox (here |)(by|with|for|found|of|named|exists|available|on|\
under) :: 550 sorry, no mailbox here by that name (#5.1.1 - chkusr)
no (account|user|recipient|one|valid recipient|valid recipients|mail box|person|subscriber|alias|\
valid mailbox|member) (here |)(by|with|found|of|named|exists|matching|called|known|that|for this|in this|\
on this|at this|has this|was found|were found|here) :: 550 There is no user by that name
no valid recipient~ .. mm :: Error: No valid recipients for this MM
(does not|doesn t|don t|do not|does n t|doesnt|did not|dose not|not) have (a|an|any) .. (account|mailbox|\
user|address|email) :: 554 delivery error: dd This user doesn't have a acme.example account \
(jane@acme.example) [0]
(user|recipient|mailbox|account|addressee|address|person|alias|email|mail|it|name|who|that|this|addr|\
here|username|member|maildrop|domain user|receiver|client|subscriber|inbox|id) (addr |name |you entered |\
you specified |specified |you are trying to reach |that you tried to reach |you tried to reach |\
at this domain |on this server |entered |)(does not|doesn t|do not|don t|did not|not|does n t|doesnt|\
dose not|no longer|isn t|no more|is not) (yet |currently |actually |to |)(exist~|existed|present|\
registered|subscribed|recognized|recognised|found here|\
known here) :: 550-5.1.1 The email account that you tried to reach does not exist.
(recipient|user|mailbox|account|address|addressee) .. does not exist :: 550 5.1.1 The recipient \
jane@acme.example, it seems, does not exist here
(user|users|recipient|mailbox|account|addressee|address|person|alias|email|email address|local part|name|\
username|recipient name|recipient address|mail address|directory entry|id|destination address|\
receiver) (addr |in |on |)(is |was |could |can |)(not |couldn t |cannot |can t |never |)(not found|\
be found|been found|found in|be located|locatable|lookup failed|not located|be resolved|not listed|\
not recognized|not recognised|not in|not available on|not defined|not known|not local|\
notfound) :: 550 5.1.1 <jane@acme.example>: user not found
address not found :: ** Address not found **
(couldn t|could not|cannot|can t|unable to|failed to|did not|didn t) (find|locate|resolve|match|look up|\
lookup) (the |a |any |this |that |your |)(user|recipient|mailbox|account|address|addressee|alias|\
email address|person|name|local user|e mail address) :: 550 Unable to find recipient jane@acme.example
(wasn t|was not|isn t|is not|were not|weren t) (found|listed|known|recognized|recognised|registered) (at|\
in|on|by|here) :: jane wasn't found at acme.example
(user|recipient|mailbox|account|address|name) .. (not|isn t) (listed|found|registered|known) in (the |\
)(domino |public |our |)(directory|address book|name address book|name|ldap|database|system|\
server) :: User jane (jane@acme.example) not listed in Domino Directory
not listed in (the |)(domino |public |global |)(directory|name|\
address) :: User jane (jane@acme.example) not listed in public Name & Address Book
not listed in :: jane@acme.example is not listed in Domino Directory
address .. couldn t be found :: Your message wasn't delivered to jane@acme.example because the address \
couldn't be found.
(address|recipient|mailbox) you entered .. (couldn t|could not|\
cannot) be found :: The e-mail address you entered couldn't be found. Please check the recipient's \
e-mail address.
recipient name is not recognized :: The recipient name is not recognized
(email|e mail|mail) address .. (not|isn t|wasn t) (recognized|recognised|found|valid here|\
known) :: The e-mail address is not recognised
(unknown recipient|recipient unknown|unknown addressee) :: MSEXCH:IMS:ACME:SITE:SERVER 0 (000C05A6) \
Unknown Recipient
000c05a6 :: MSEXCH:IMS:ACME:SITE:SERVER 3550 (000C05A6) 550
(invalid|illegal|incorrect|wrong|bad) (user|users|recipient|recipients|mailbox|account|user address|\
local address|recipient address|local part|username|user name|addressee|mailbox name|\
final delivery userid|receiver address|userid|destination mailbox|email account|recipient email address|\
rcpt|recipient name|target address|user s mailbox|receiver|recepient|user id|to address|to user|\
mail user|alias) :: 550 5.1.1 Invalid recipient: jane@acme.example
(recipient|user|mailbox|account|user name|username|receiver|addressee|mailbox name|local part) (address |\
name |addr |)(is |was |)(invalid|illegal|incorrect|not valid|wrong|bogus) :: 550 Recipient is invalid
(is|are|was) (not a|not an|no|not|no longer a|no longer an|no longer) (valid|known|existing|real|local|\
legal|active|registered|current) (user|recipient|mailbox|account|address|email|e mail|mail|username|\
alias|acme|subscriber|mail box|local|name|member|employee|customer|person|hotmail|recipients|at|in|on|\
here|gateway) :: 550 jane@acme.example is not a valid mailbox
not a (registered|known|valid|local) (gateway |mail |email |domain |)(user|mailbox|account|recipient|\
address) :: 550 'jane@acme.example' is not a registered gateway user
(no longer|not any longer|not anymore|no more) (on (this |our |the |)(server|system)|available|valid|\
exists|exist|active|in use|in service|accepts|accepting|with|works|working|employed|used|here|at this|at|\
a valid|an employee|part of|monitored|receiv~|an active|associated|existing|\
hosted here) :: 550 5.1.6 recipient no longer on server: jane@acme.example
(has|have) (left|moved|been (deleted|removed|closed|terminated|discontinued|deactivated|decommissioned|\
retired)) .. (company|organization|organisation|account|mailbox|user|address|server|here|no|system|\
employment|addr|new) :: 550 This user has left the company
(account|mailbox|user|address|recipient|inbox|email address|email account|mail account|maildrop|mail box|\
alias|user account|recipient address|addr) (addr |of the user |name |for addr |)(has been |was |is |\
has |are |been |currently |)(currently |now |permanently |temporarily |been |)(disabled|deleted|removed|\
closed|terminated|discontinued|deactivated|inactive|cancelled|canceled|decommissioned|retired|expired|\
disconnected|de activated|dormant|abandoned|obsolete|purged|dead|not active|not enabled|unused|\
inactivated) :: 550 5.2.1 This account has been deactivated.
(account|mailbox|user|recipient) that you tried to reach (is |has been |)(disabled|\
inactive) :: 550 5.2.1 The email account that you tried to reach is disabled.
(disabled|inactive|deactivated|deleted|closed|expired|terminated|obsolete|discontinued|cancelled|former|\
defunct|retired|dead|non active) (email |mail |e mail |user |recipient |)(account|mailbox|user|recipient|\
address|email|alias|recipient address|email address|employee|\
inbox) :: 550 5.1.1 <jane@acme.example>: inactive email address
disabled or discontinued :: This account has been disabled or discontinued [#102].
(mailbox|account|user) (disabled|inactive) not accepting messages :: 5.2.1 (mailbox disabled, not \
accepting messages)
(recipient|user|address|mailbox)( addr|) (cannot|could not|can not|\
couldn t) be verified :: 550 The recipient cannot be verified. \
Please check all recipients of this message
(due to|because of|for) inactivity :: 550 5.2.1 This mailbox has been blocked due to inactivity
(invalid|bad|wrong|unknown) or (unknown|invalid|inactive|illegal|disabled|nonexistent) .. (user|recipient|\
mailbox|address|account) :: Invalid or unknown virtual user
(destinatario|indirizzo|utente) (errato|ignoto) :: Destinatario errato
(casilla|cuenta|buzón) ha (expirado|caducado) :: Esta casilla ha expirado por falta de uso
bloccato per inutilizzo :: Questo indirizzo e' bloccato per inutilizzo
no (mail box|mailbox|account) available (for|here|at) :: No mail box available for this user
(not|n t|doesn t|does not) (handle|accept|receive) (mail|email) for (that|this) (user|recipient|address|\
account|mailbox) :: server doesn't handle mail for that user
not (currently |)(being |)accepted for this (mailbox|user|recipient|\
address) :: mail is not currently being accepted for this mailbox
no longer (on file|forwarded|forwarding) :: recipient no longer on file
(unrecognised|unrecognized) (or name|orname|o r name|recipient|name) :: unrecognised-ORName (Unknown address)
in my (badrecipientto|badrcptto|badmailto) :: 550 sorry, this recipient is in my badrecipientto list (#5.7.1)
not in my (validrcptto|list of valid|\
list of local) :: 553 sorry, this recipient is not in my validrcptto list (#5.7.1)
(unable to|cannot|could not|can t|couldn t) find (addr|user|\
recipient) :: 550 Unable to find jane@acme.example in directory
(kein|keine|keinen) (gültige~|gueltige~|bekannte~) (empfänger~|benutzer~|adresse~|\
postfach) :: 550 kein gültiger Empfänger
no user( here|) :: 550 no user
no recipients found :: 554 No recipients found
bad (addresses|destination mailbox address) :: Bad Addresses
not our customer :: 551 not our customer
user not local :: 551 User not local; please try <ann@other.example>
(not|isn t) (a |)(local|our) (user|customer|recipient|mailbox|subscriber) :: 550 that is not our user
(user|recipient|mailbox) .. no longer (works|exists|available|employed|here|uses|\
has) :: 550 The user jane no longer works here
no longer works :: jane@acme.example no longer works for Acme
unknown (to|at|on) (this |our |the |)(system|server|host|site|domain|directory|address|\
us) :: 550 jane: unknown to this system
(address|addr) .. (unknown|does not exist|not exist) .. (here|in our|on this|at this|\
in this) :: 550 <jane@acme.example> unknown, not here, on this server
not known (here|at|on|in|to) :: 550 jane is not known here
(addr|user|recipient|address|mailbox|account) unknown :: 550 jane@acme.example unknown
(user|recipient|mailbox|addr) not (here|exist|exists|existed|found|known|listed|recognized|\
available here) :: 550 <jane@acme.example>... User not exist
(user|recipient|mailbox|addr) (isn t|is not|not) (known|here|found|on this|at this|\
in) :: 550 User is not here
(recipient|rcpt to|destination) (address |addr |)(was |is |has been |)(rejected |refused |)(user unknown|\
unknown|not found|no such|not exist|does not exist|\
mailbox unavailable) :: 550 Recipient address rejected: user unknown in relay recipient table
in (local|virtual|relay|the local) (recipient|alias|mailbox|user) (table|list|database|\
maps) :: 550 5.1.1 Recipient address rejected: not in local recipient table
user doesn t :: 550 user doesn't seem to be known
(recipient|address) (addr |)(is |)not (valid|listed) :: 550 Recipient not valid
recipient address does not exist :: 550 5.1.1 RCP-P1 http://postmaster.acme.example#rcp Recipient \
address does not exist
not (a |)valid (user|mailbox|recipient|address|account) :: 550 Not a valid recipient
this address no longer (accepts|receives|exists|works) :: 550 5.2.1 This address no longer accepts mail
(address|mailbox|account|user) (no longer|does no longer) :: 550 The address no longer belongs to anybody
addr is not (valid|a valid|known|recognized|active|an active|registered|a known|\
in) :: 550 jane@acme.example is not known
(account|mailbox|user|address|email|recipient) (has |)(not |never )(been |)(activated|created|set up|\
exist~|registered|active|existed) :: 550 Mailbox never existed
(mail|email|e mail) (account|box|address) .. (not|no) (exist~|\
such) :: 550 This e-mail address, it says, does not exist
no such id :: 550 #5.1.1 No such id
(user|recipient) does not (have|accept) .. (account|mailbox) :: 550 user does not have an account
[5.4.1] recipient address(es|) rejected access denied :: 550 5.4.1 <jane@acme.example>: Recipient address \
rejected: Access denied [mail.protection.outlook.example]
resolver adr (recip~|ex~) :: 550 5.1.1 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP \
address lookup
recipient (addr |)not found by (smtp |)(address|\
exchange) :: 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient jane@acme.example not found by SMTP \
address lookup
(nicht bekannt|unbekannter (benutzer|empfänger|empfaenger|nutzer|adressat|user)|unbekannte (adresse|\
emailadresse|mailadresse)) :: 550 Unbekannter Benutzer
(benutzer|empfänger|empfaenger|adressat|postfach|mailbox|konto|adresse|nutzer|empfängeradresse|\
e mail adresse|emailadresse|mailadresse|account|user|kunde|name) .. (unbekannt|nicht bekannt|\
existiert nicht|nicht gefunden|nicht vorhanden|ungültig|ungueltig|gelöscht|deaktiviert|\
existiert nicht mehr|nicht vergeben|nicht mehr|gesperrt|inaktiv|nicht angelegt|gibt es nicht|\
nicht registriert|nicht erkannt|erloschen|stillgelegt) :: 550 Empfänger unbekannt
(ungültige|ungültiger|ungueltige|ungueltiger|falsche|falscher|unbekannte|unzulässige) (empfänger~|\
empfaenger~|adress~|mailadress~|\
e mail|email~|benutzer~|postfach) \
:: 550 Ungueltige Empfaengeradresse
(kein|keine) (solcher |solche |solches |)(benutzer|empfänger|mailbox|postfach|account|adresse|user|\
konto) :: 550 kein solcher Benutzer
(utilisateur|destinataire|boîte|boite|adresse|compte|usager|bal|messagerie|mailbox|abonné) .. (inconnu~|\
inexistant~|introuvable~|invalide|n existe pas|n existe plus|désactivé~|desactive~|supprimé~|fermé~|\
non valide|incorrecte|erronée|erronee|n a pas été trouvé~|n est plus|non trouvé~|pas valide|\
résilié~) :: 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient.
(aucun|pas d|pas de) (utilisateur|compte|destinataire|boîte|boite) :: 550 Aucun utilisateur de ce nom
(usuario|destinatario|buzón|buzon|cuenta|casilla|dirección|direccion|correo|receptor) .. (desconocid~|\
no existe|inexistente|no encontrad~|inválid~|invalid~|no válid~|no valid~|no es válid~|desactivad~|\
deshabilitad~|cancelad~|no fue encontrad~|no se encontró|no se encuentra|inactiv~|eliminad~|dad~ de baja|\
no se reconoce) :: 550 Usuario desconocido
no existe (el |la |ese |esa |)(usuario|cuenta|destinatario|buzón|buzon|dirección|direccion|casilla|\
correo) :: 550 no existe el usuario
no se (encontró|pudo encontrar|ha encontrado|ha podido encontrar|encuentra) .. (dirección|direccion|\
destinatario|usuario|buzón) :: No se encontró la dirección
(usuário|usuario|destinatário|destinatario|utilizador|caixa|conta|endereço|endereco|email|\
mailbox) .. (desconhecid~|não existe|nao existe|inexistente|não encontrad~|nao encontrad~|inválid~|\
desativad~|desabilitad~|cancelad~|inativ~|não foi encontrad~|bloquead~ permanentemente|excluíd~|\
removid~) :: 550 Usuário desconhecido
(utente|destinatario|casella|indirizzo|account|mailbox|recapito|utenza) .. (sconosciut~|non esiste|\
inesistente|non trovat~|non valid~|disattivat~|disabilitat~|cancellat~|non è stato trovato|chius~|\
non attiv~|inattiv~|scadut~|rimoss~) :: 550 Utente sconosciuto
(gebruiker|ontvanger|geadresseerde|mailbox|adres|postvak|account|postbus|e mailadres|\
emailadres) .. (onbekend|bestaat niet|niet gevonden|ongeldig|niet bekend|opgeheven|verwijderd|niet meer|\
gedeactiveerd|uitgeschakeld|niet langer|niet worden gevonden) :: 550 Gebruiker onbekend
(onbekende|ongeldige) (gebruiker|ontvanger|geadresseerde) :: 550 Onbekende gebruiker
(użytkownik|uzytkownik|odbiorca|adres|adresat|konto|skrzynka|użytkownika|odbiorcy) .. (nieznan~|\
nie istnieje|nie znalezion~|nie został znaleziony|nieprawidłow~|niepoprawn~|usunięt~|\
zablokowan~ na stałe|nieaktywn~|brak) :: 550 Użytkownik nieznany
(nie ma takiego|brak takiego|nieznany|brak) (użytkownika|uzytkownika|konta|adresata|odbiorcy|użytkownik|\
odbiorca|adresat) :: 550 Nie ma takiego użytkownika
(пользователь|получатель|адресат|ящик|адрес|аккаунт|пользователя|адреса|ящика|учетная запись|\
абонент) .. (не существует|не найден~|неизвест~|отключ~|заблокирован~ навсегда|удал~|не обнаруж~|\
недействител~|неверн~|не зарегистр~|закрыт) :: 550 Пользователь не существует
(нет такого|неизвестный|несуществующий|неверный) (пользовател~|получател~|адрес~|\
ящик~) :: 550 Нет такого пользователя
не существует (такого |такой |)(пользовател~|ящик~|адрес~|получател~) :: 550 не существует такого ящика
(користувач|отримувач|одержувач|адреса|скринька) .. (не існує|не знайден~|\
невідом~) :: 550 Користувач не існує
(uživatel|příjemce|schránka|adresa|adresát) .. (neexistuje|nenalezen~|neznám~|\
neplatn~) :: 550 Uživatel neexistuje
(felhasználó|címzett|postafiók) .. (ismeretlen|nem létezik|nem található) :: 550 A címzett ismeretlen
(mottagaren|användaren|användare|mottagare|adressen|brukeren|mottakeren|modtageren|kontoen|brugeren|\
kontot) .. (okänd|finns inte|hittades inte|ukjent|finnes ikke|ukendt|findes ikke|eksisterer ikke|\
existerar inte) :: 550 Mottagaren finns inte
(okänd|ukjent|ukendt|tuntematon) (mottagare|användare|mottaker|bruker|modtager|bruger|vastaanottaja|\
käyttäjä) :: 550 Okänd mottagare
(alıcı|kullanıcı|adres|hesap|posta kutusu) .. (bulunamadı|yok|geçersiz|bilinmiyor|mevcut değil|\
bulunamadi) :: 550 Kullanıcı bulunamadı
(utilizatorul|destinatarul|căsuța|adresa) .. (necunoscut|nu există|\
inexistent) :: 550 Utilizatorul nu există
(άγνωστος|δεν υπάρχει) :: 550 Ο χρήστης δεν υπάρχει
(宛先不明|ユーザ不明|ユーザー不明|宛先ユーザが存在|宛先ユーザーが存在|ユーザが存在しません|\
ユーザーが存在しません|ユーザは存在しません|ユーザーは存在しません|アドレスが存在しません|\
アドレスは存在しません|存在しないアドレス|存在しないメールアドレス|メールアドレスが見つかりません|\
アドレスが見つかりません|宛先が見つかりません|宛先のメールアドレスが見つから|受信者が見つかりません|\
ディレクトリのリストにありません|該当するユーザ|宛先アドレスが正しく|宛先メールアドレスが存在|あて先不明|\
該当者なし|メールアドレスが存在し|宛先が存在しません|無効なメールアドレス|使われていない|\
使われておりません|使用されていない|宛先ユーザ不明|メールアドレスは存在|メールアドレスは現在使|\
ユーザーが見つかりません|ユーザが見つかりません|\
利用者が見つかりません) :: 宛先不明のため配信できませんでした
(用户不存在|收件人不存在|用户未找到|帐号不存在|账号不存在|邮箱不存在|邮箱地址不存在|没有此用户|\
没有这个用户|查无此人|无此用户|地址不存在|收件人地址不存在|找不到收件人|用户名不存在|帐户不存在|\
账户不存在|收件人错误|不存在该用户|使用者不存在|收件者不存在|帳號不存在|找不到收件者|無此使用者|查無此人|\
信箱不存在|郵箱不存在|已停用|已注销|无效的收件人|无效用户|用户已离职|收件人未找到|\
该用户不存在|不存在的用户) :: 550 用户不存在
(사용자가 없습니다|사용자를 찾을 수|존재하지 않는|수신자를 찾을 수|없는 사용자|없는 주소|\
알 수 없는 사용자|받는 사람을 찾을 수|존재하지 않습니다|주소를 찾을 수|\
휴면) :: 550 존재하지 않는 사용자입니다
(לא נמצא|לא קיים|משתמש לא) :: 550 המשתמש לא קיים
(غير موجود|غير معروف) :: 550 المستخدم غير موجود
(không tồn tại|tidak ditemukan|tidak dikenal|ไม่มีผู้ใช้|ไม่พบผู้ใช้) :: 550 Người dùng không tồn tại
""",
    ),
    Group(
        BLOCKED,
        "the mail was refused for its content, size, origin or a policy",
        """
(blacklist~|blocklist~|blackholed|black list~|block list~|blacklisted|block listed|denylist~|\
deny list) :: 550 5.7.1 IP address blacklisted by recipient
(spamhaus|spamcop|sorbs|barracudacentral|abuseat|uceprotect|invaluement|dnsbl|rbl|rhsbl|surbl|uribl|\
senderbase|senderscore|backscatterer|sophosxl|cloudmark|mailspike|nixspam|trustedsource|brightmail|\
ipremoval|psbl|dnswl|njabl|dsbl|ordb|bl) :: 553 http://www.spamhaus.org/query/bl?ip=192.0.2.222
(blocked|listed|rejected) (using|by|at|in|from|for|because|due|with|on|via|as|until|\
see) :: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example
(is|are|was|been|has been|have been|temporarily|currently|permanently) (blocked|banned|blocklisted|\
black listed) :: 550 Your IP is blocked
(your|ip|client|connecting|remote|network) .. (blocked|banned|black~|not allowed|rejected|denied|refused|\
restricted|reputation) :: 550 Your network is banned, client IP rejected
blocked see :: 554 Blocked - see https://support.filter.example/dnsbl-lookup.cgi?ip=192.0.2.1
(reputation|trustworthy) :: 550 5.7.1 Poor reputation of the sending system
(spam~|ube|uce|junk|unsolicited|phish~|bulk mail|bulk email|anti spam|antispam|scam|fraud~|\
advertising) :: 550 5.7.1 Message content rejected, UBE, id=00000-22-225
(virus~|malware|infected|trojan|worm|malicious|antivirus|anti virus|\
ransomware) :: 550 Virus Detected; Content Rejected
(policy|policies|acl|administrative prohibition|administratively|local rule~|security rule~|compliance|\
transport rules|regulations) :: 550 5.7.0 Local Policy Violation
(content|contents|message|mail|email|e mail|messages|attachment|attachments|file|body|subject) (was |\
were |has been |is |are |)(rejected|refused|denied|blocked|not accepted|not allowed|filtered|prohibited|\
quarantined|unacceptable|not permitted|forbidden|discarded|banned|suspicious|held|\
restricted) :: 500 5.6.1 Message content rejected
(content|message|filter|keyword|word) (filter|filtered|filtering|scan~|\
restriction~) :: 550 Rejected by content filter
(relay|relaying|relayed) :: 554 5.7.1 <jane@acme.example>: Relay access denied
(rcpthosts|recipient hosts) :: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
(message|mail|email|attachment|msg|content|e mail|header|headers|line|item|messages) (size |length |\
file |)(is |was |are |)(too (large|big|long|great)|exceed~|larger than|over the|oversize~|bigger than|\
limit) :: 552 5.3.4 Message too large
(too large|too big|oversized|maximum (message |allowed |mail |)size|size limit|message size|\
exceeds (the |)(maximum|size|limit|fixed)|recipsizelimit|sizelimit|larger than|file size|\
maximum file size|maximum size) :: 552 5.2.3 Message size exceeds fixed maximum message size (10485760)
(message|mail|email) (length|size) .. limit :: 552 5.2.3 Message length exceeds limit set by recipient
(attachment~|file type|file|extension|mime type) .. (not|forbidden|block~|reject~|prohibited|allowed|removed|\
banned|unsafe) :: 554 The attachment is forbidden here
(access|service|permission|connection|entry|rejection) (is |was |has been |)(denied|prohibited|forbidden|\
not permitted|disallowed) :: 550 5.7.1 Access denied
(not (accept|accepted|allowed|permitted|authorized|authorised|welcome|wanted|acceptable)) .. (from|your|\
mail|message|sender|server|host|recipient|here|policy|\
reason~) :: 550 We do not accept mail from your server; mail is not accepted from your host
(recipient preferences|blocked by recipient|user preferences|authrequired|notauthorized|\
(is|are|access|delivery) restricted|\
authenticated senders) :: 550 5.1.1 RCP-P2 Refused due to recipient preferences
(multiple|duplicate|missing|invalid|malformed|bad|bare) (header|headers|from|addresses in|subject|\
subjects|message id|mime|date|dkim signature|lf|cr|line|to header|cr lf|content|\
line feeds) :: 554 Transaction failed: Duplicate header 'DKIM-Signature'.
(rfc (2822|5322|822|2821|5321|1123|2047|2045)|not rfc|non rfc|\
rfc compliant) :: 550-5.7.1 This message is not RFC 5322 compliant.
(8 bit|8bit|8bitmime|binary|smtputf8|non ascii|charset|character set|encoding|\
unprintable) :: 550 5.6.9 improper use of 8-bit data in message header
refused to talk to me :: host mx.acme.example[192.0.2.1] refused to talk to me: 421 mx2.acme.example
(protocol violation|pipelining|improper use|remote protocol error|pre greeting|earlytalker|\
protocol error) :: 550 Protocol violation
(tls|starttls|encryption|ssl|certificate) :: 500 Remote server does not support TLS
(no access from|network not allowed|host network|invalid ip|banned|not in whitelist|whitelist~|\
white list|allowlist) :: 554 Host network not allowed
(mismatch~|impersonat~|spoof~|forg~) :: 550 domain [ours.example] mismatches client ip 192.0.2.225.
reject all (mail|mails|messages) :: Destination seem to reject all mails
excessive (userid|user|unknown|errors|failures) :: Excessive userid unknowns
(not local host|not a gateway) :: 550 not local host acme.example, not a gateway
(problem occurred .. bl|ask your postmaster) :: 554 IP=192.0.2.254 - A problem occurred. (Ask your \
postmaster for help or to contact help@acme.example to clarify.) (BL)
(denied|disallow~|prohibited|forbidden|not permitted|unacceptable|objectionable) :: 550 Denied by somebody
(abuse|abusive|suspicious|complaint~) :: 550 Connection refused: abuse
(challenge|captcha|confirm your) :: 550 Please answer the challenge first
(message|mail) (was |)(filtered|deferred due|blocked|rejected) :: 550 5.2.0 Message Filtered
(richtlinie~|abgelehnt|verweigert|blockiert|zurückgewiesen|zurueckgewiesen|unerwünscht|\
gesperrte) :: 550 Nachricht abgelehnt
(bloqué~|bloquee|bloque|indésirable~|rejeté~|refusé pour|\
politique) :: 550 mwinf5c04 ME Adresse IP source bloquee pour incident de spam.
(bloquead~|rechazad~|rejeitad~|recusad~|política~|politica~) :: 550 Mensaje rechazado
(rifiutat~|respint~|bloccat~|geweigerd|geblokkeerd|odrzucon~|zablokowan~) :: 550 Messaggio rifiutato
(спам~|отклонен~|заблокирован~|отвергнут~|запрещен~) :: 550 Сообщение отклонено как спам
(拒否|迷惑メール|受信拒否|拒绝|垃圾邮件|被拒|拒收|封禁|屏蔽|拒絕|垃圾郵件|반송|차단|스팸|\
거부) :: 受信拒否されました
frozen :: 550 Mailbox is frozen. See http://mail.acme.example/err/3/
(account|mailbox|user|recipient|is|been|was|addr) (suspended|locked|blocked|on hold) :: 550 Account suspended
(000b0981|000c0595|00050311|000502cc) :: MSEXCH:IMS:ACME:SITE:SERVER 0 (000B0981) 502 Server does not \
support AUTH
""",
    ),
    Group(
        TRANSIENT,
        "the mail could not be handed over in time; nothing is said of the mailbox",
        """
(timed out|time out|timeout|timedout|time limit) :: connect to mx.acme.example[192.0.2.1]:25: Connection \
timed out
(connection|connect) (was |is |)(refused|reset|dropped|closed|lost|failed|failure|error|aborted|\
terminated|broken|problem) :: connect to mx.acme.example[192.0.2.1]:25: Connection refused
(lost connection|connection lost|lost input channel|broken pipe|server disconnected|unexpectedly closed|\
conversation with|closed connection|dropped connection|socket error|network error|network problem|\
network is unreachable|no route to host|host is down|host unreachable|host not reachable|not reachable|\
unreachable|no answer from host|bad connection|remote server did not respond|not responding|no response|\
did not respond|did not accept our requests to connect|wasn t able to establish|unable to connect|\
could not connect|cannot connect|can t connect|couldn t connect|failed to connect|unable to establish|\
unable to open|establish an smtp connection|\
failed to send to identified host) :: lost connection with mx.acme.example[192.0.2.1] while performing \
the HELO handshake
(expired|too old|in the queue too long|queue too long|message lifetime|queue expired|\
cannot send message (for|within)|could not be delivered for|could not be sent for|delivery time|\
retry time not|retry timeout exceeded|retry time exceeded|giving up|gave up|max(imum|) (retries|retry|\
attempts|delivery attempts)|retries exceeded|retry period|retry limit|\
undeliverable for) :: Envelope expired
(queue|delivery) .. (expired|exceeded) :: 550 4.4.7 QUEUE.Expired; message expired
(try|retry|retried|attempt|tried|try it) (again|later|it again|this again|\
your message) :: 421 4.2.0 Please try again later
(please |)(try later|retry later|try again|come back|resend later|\
resend your message later) :: 421 4.3.2 please \
try later.
(temporary|temporarily|temporaire|temporär~|vorübergehend|temporal~|temporane~|tijdelijk|tymczasow~|\
временн~|一時的|暂时|暫時) (error|failure|problem|system|local|unavailable|deferred|not|unable|reject~|\
lookup|\
server|resources|suspended|rejected|undeliverable|disabled|out|down|busy|fehler|nicht|unknown|dns|over|\
delayed|block~|ausfall|) :: 451 4.3.0 Temporary failure in the mail store
(resources temporarily unavailable|out of memory|no space left on device|disk full|\
queue file write error|load too high|load average|overload~|busy|out of resources|shutting down|\
starting up|maintenance|wartung) :: 451 4.3.0 Error: queue file write error
(upstream error|mail system error|internal (server |system |)error|internal system error|\
configuration error|config error|local configuration error|server error|mta error|operating system error|\
local error in processing|protocol handshake|resources unavailable|backend|i o error|\
input output error) :: 550 5.3.5 <jane@acme.example>... Internal System Error
(name server|nameserver|dns|name service|host name lookup|hostname lookup|name lookup|mx lookup|\
ns) .. (fail~|error~|timeout|malformed|servfail|problem|refused|not respond~|temporar~|unavailable|\
loop) :: Name service error for name=acme.example type=MX: Malformed or unexpected name server reply
(host|name|hostname) lookup (failure|failed|error) :: acme.example: host name lookup failure
(system |)load (is |)too high :: system load is too high
too much load :: Too much load
delivery failed .. attempts :: Delivery failed 20 attempts: jane@acme.example
attempts will continue :: Delivery attempts will continue to be made for 3 days
unable to contact :: Unable to contact host for 3 days
(could not load|deferred|defer~|delayed|delay|delivery (temporarily |)suspended|warning message only|\
will be retried|still being retried|being retried|retry queue|held in queue|not yet been delivered|\
has not been delivered yet|keep trying|continue to try) :: 421 mx.acme.example (smtp)... Deferred: \
Connection timed out
(routing|route|router|next hop|connector|mail routing) .. (fail~|error|problem|not|no|loop|\
unable) :: Mail routing error: no route found to domain
noconnectorforaddresstype :: 550 5.4.4 ROUTING.NoConnectorForAddressType; unable to route for address type
(no route found|unable to route|cannot route|could not be routed|\
cannot be routed) :: No route found to domain acme.example from server acme/Acme
(zeitüberschreitung|nicht erreichbar|zeitweise|später|spaeter|délai|plus tard|ultérieurement|injoignable|\
tiempo de espera|más tarde|mas tarde|tempo limite|mais tarde|tentar novamente|scaduto|più tardi|\
niet bereikbaar|later opnieuw|później|przekroczono czas|позже|попробуйте|таймаут|タイムアウト|\
接続できません|しばらく|後ほど|\
接続を拒否|稍后|超时|连接失败|連線) :: Zeitüberschreitung beim Verbinden
(00120270|00010256|000d06b5) :: MSEXCH:IMS:ACME:SITE:SERVER 0 (00120270) Message expired
recipient thread limit exceeded :: 432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded
""",
    ),
    Group(
        TRANSIENT,
        "the other side could not take the mail then; nothing is said of the mailbox",
        """
(service|server|system|host|site|mail server|smtp) (is |was |)(currently |temporarily |)(not |\
un)(available|reachable|ready) :: 554 Service currently unavailable
(service unavailable|service not available|server not available|currently unavailable|\
transaction failed) :: 554 Transaction failed
""",
        vague=True,
    ),
    Group(
        GONE,
        "the mailbox was refused by name, and nothing else is said",
        """
(mailbox|mail box|account|user|recipient mailbox|maildrop|recipient) (addr |name |)(is |was |\
)(currently |)(unavailable|not available|inaccessible|\
not accessible) :: 550 Requested action not taken: mailbox unavailable
(mailbox|mail box) (name |)(is |)(not allowed|invalid|incorrect|\
syntax) :: 553 Requested action not taken: mailbox name not allowed
[5.1] (address|recipient|addr) (address |addr |)(is |was |)(rejected|refused|invalid|incorrect|\
denied) :: 550 5.1.1 Address rejected jane@acme.example
addresses failed addr :: 550 Addresses failed: <jane@acme.example>
(recipient|rcpt|rcpt to|destination|destinataire|destinatario|to) (address |addr |)(is |was |has been |\
)(rejected|refused|not accepted|denied|invalide|\
incorrect) :: 550 <jane@acme.example>: Recipient address rejected.
address (is |was |)(rejected|invalid|refused|incorrect) :: 550 #5.1.0 Address rejected.
(invalid|incorrect|bad|wrong|undeliverable|unacceptable) (address|e mail address|email address|\
destination address|email|mail address|to address|destination|\
addresses) :: jane@acme.example Invalid Address, ERROR_CODE :550
(undeliverable|undeliverable addr|undeliverable address|cannot be delivered to|not deliverable to|\
address unknown) :: 550 5.1.1 undeliverable address: jane@acme.example
recipient (is |)(incorrect|possibly incorrect|ungültig|not correct) :: Recipient is incorrect
(user|mailbox|recipient|account|address) .. unknown :: 550 mailbox <jane> unknown
(please |)(check|verify) .. (recipient|address) .. (spelling|typos|typing|\
spelled) :: The address you wrote to seems wrong; check the recipient for typos
double checking the recipient :: Please try double-checking the recipient's email address for typos or \
unnecessary spaces.
(not valid|is invalid|isn t valid|invalid adresse) :: 550 jane is invalid
(not found|does not exist|doesn t exist|not exist|no longer exists|no longer valid|not recognized|\
not registered) :: 550 5.1.1 jane does not exist
(unbekannt|inconnu|desconocido|desconhecido|sconosciuto|onbekend|nieznany|neznámý) :: 550 jane: unbekannt
(rejected by recipient|refused by recipient|rejected recipient|\
recipient is not accept~) :: SMTP Server <mx.acme.example> rejected recipient <jane@acme.example>
cannot receive (mail|messages|email) :: 550 5.2.1 jane cannot receive mail
(could not|cannot|can t|couldn t|unable to) (be |)deliver~ (to |mail to |message to |to the |)(the |\
this |)(mailbox|user|recipient|account) :: 550 cannot deliver to mailbox
""",
        vague=True,
    ),
)
"""The phrases of diagnostics, in the order in which they are tried."""

STATUS_ONLY = """
[4.2.2] full
[5.2.2] full
[4.2.1] transient
[5.1.1] mailbox_gone
[5.1.2] domain_gone
[5.1.3] mailbox_gone
[5.1.4] mailbox_gone
[5.1.6] mailbox_gone
[5.1.7] blocked
[5.1.8] blocked
[5.1.9] blocked
[5.1.10] mailbox_gone
[5.2.1] mailbox_gone
[5.2.3] blocked
[5.2.4] blocked
[5.3.4] blocked
[5.4.310] domain_gone
[5.4.4] domain_gone
[5.4] transient
[4.7] blocked
[5.6] blocked
[5.7.13] mailbox_gone
[5.7.17] mailbox_gone
[5.7.18] domain_gone
[5.7] blocked
[4.1.8] blocked
[4.3.4] blocked
[4.6] blocked
[4] transient
"""
"""What an enhanced status code (RFC 3463, RFC 5248) means where no phrase is known; the longest counts."""

REPLY_ONLY = """
[421] transient
[450] transient
[451] transient
[452] full
[523] blocked
[525] mailbox_gone
[530] blocked
[535] blocked
[551] mailbox_gone
[552] full
[571] blocked
[4] transient
"""
"""What an SMTP reply code (RFC 5321 4.2) means where neither a phrase nor a status code says anything."""


@cache
def diagnoses(*, vague: bool = False) -> Index:
    """Return the phrases of `DIAGNOSES` that say something, or the vague ones, in order."""
    groups = (group for group in DIAGNOSES if group.vague == vague)
    return Index(tuple(phrase for group in groups for phrase in phrases(group.rows, group.kind, group.why)))


def diagnose(text: str, status: str = "", *, vague: bool = False) -> Phrase | None:
    """Find the first phrase of the table in a diagnostic; None where no phrase is known."""
    return diagnoses(vague=vague).find(plain(text), status)


@cache
def _codes(rows: str) -> dict[str, str]:
    return dict(re.findall(r"\[([\d.]+)\] (\w+)", rows))


def by_status(status: str) -> str:
    """Return the kind that an enhanced status code stands for, empty where it says nothing."""
    digits = status.split(".")
    codes = _codes(STATUS_ONLY)
    candidates = (".".join(digits[:length]) for length in range(len(digits), 0, -1))
    return next((codes[code] for code in candidates if code in codes), "")


def by_reply(reply: str) -> str:
    """Return the kind that an SMTP reply code stands for, empty where it says nothing."""
    codes = _codes(REPLY_ONLY)
    return codes.get(reply) or codes.get(reply[:1], "")
