"""How mail systems word and lay out their reports, as tables that anybody can extend.

RFC 3464 reports say by themselves what they are. All others are recognised here: by who sends them, by their
subject, by the sentence they open with, and by the line under which they return the original. To teach the
reader a new layout, add the line it is known by to the table it belongs to, in the notation of
`watchers.mail.wording`: `phrase :: an example that contains it`. A test reads every example.
"""

# ruff: noqa: RUF001 - the phrases are in many alphabets

from __future__ import annotations

import re
from functools import cache

from watchers.mail.wording import Index, phrases, plain

DAEMONS = """
mailer-daemon mailer_daemon mailerdaemon maildaemon mail-daemon mail_daemon postmaster post_master post-master
mail-delivery-system mail.delivery.system maildelivery mdaemon smtpd smtp mta bounce bounces bounced dsn ndr
mail-errors mail-error mailerror mailadmin mail-admin mail_admin mail-system mailsystem mailer uucp root
system-administrator sysadmin systemadministrator mailserver mail-server mail_server exchange \
microsoftexchange
administrator mailmaster mmsc mailsweeper mailmarshal interscan imss gateway mimesweeper antispam
""".split()
"""The local parts under which mail systems send; what follows a digit, a dot or an `=` is not compared."""

SYSTEM_NAMES = """
mail delivery :: Mail Delivery Subsystem
mail (system|daemon|administrator|server|router|gateway|transport) :: Mail Administrator
(mailer|mail er) daemon :: Mailer-Daemon
postmaster :: Postmaster
system administrator :: System Administrator
(ndr|non delivery|delivery (status|failure|system|subsystem|report)) :: MMSC NDR Administrator
(interscan|mimesweeper|mailmarshal|groupwise|mailsweeper|messagelabs|mdaemon) :: "InterScan MSS"
microsoft (outlook|exchange) :: Microsoft Outlook
internet mail (delivery|service) :: Internet Mail Delivery
"""
"""The names under which mail systems send."""

SUBJECTS = """
(undeliver~|non deliver~|nondeliver~|not deliver~|undelivered) :: Undelivered Mail Returned to Sender
(delivery|delivering|mail delivery|message delivery) .. (status|fail~|error|problem|report|unsuccessful|\
delay~|notification|incomplete|not successful|impossible) :: Delivery Status Notification (Failure)
(failure|fail) .. (notice|delivery|deliver|notification|report) :: Failure Notice
(failed|fail|failure) .. (mail|deliver|delivery|message|recipient) :: Failed mail: offer
(mail|message|email|e mail) .. (failure|failed|not sent|error|not delivered|problem|bounce~|\
could not be delivered|undelivered) :: Mail failure.
(returned|returning|return) (mail|message|to sender|email|your mail) :: Returned mail: User unknown
(mail|message) .. (returned|returning) :: mail failed, returning to sender
(bounce|bounced|bouncing|bounces) :: email bounce notification
(could not|cannot|couldn t|unable to|can t) (be |)(deliver~|sent|send) :: Mail could not be delivered
(warning|could not send) .. (hours|message|mail) :: Warning: could not send message for past 4 hours
(delayed|delay) (mail|message|deliver~) :: Delayed Mail (still being retried)
(mail|message|delivery|e mail) (delayed|delay|is delayed|has been delayed|warning|\
status report) :: Delivery Delayed
(nondeliverable|ndn|ndr|dsn) :: Nondeliverable mail
(user|address|recipient|account) (unknown|not found|invalid|rejected) :: User unknown
unknown (user|recipient|address) :: Unknown user
complaint about message :: complaint about message from 192.0.2.1
there was an error sending your mail :: There was an error sending your mail
(unzustellbar~|nicht zustellbar~|nicht zugestellt~|unzustellbarkeits~|zustellung .. fehlgeschlagen|\
zustellfehler|fehlgeschlagen~|zustellungs~|übermittlung~ fehl~|rücksendung) :: Unzustellbar: Angebot
(non remis~|non distribu~|échec|echec|non délivr~|remise .. retardé~|non remise|retour .. expéditeur|\
notification d état) :: Non remis : Offre
(no se (puede|pudo|ha podido) entregar|no entregado|no se puede entregar|devuelto|error .. entrega|\
fallo .. entrega|notificación de estado) :: No se puede entregar: Oferta
(não (é possível entregar|foi entregue|entregue|entregável)|falha .. entrega|não foi possível entregar|\
mensagem devolvida|devolvida ao remetente) :: Não foi possível entregar: Oferta
(mancato recapito|non recapitabile|impossibile (consegnare|recapitare)|notifica .. (recapito|stato)|\
mancata consegna|non consegnato) :: Mancato recapito: Offerta
(onbestelbaar|niet bezorgd|niet afgeleverd|kan niet worden (bezorgd|afgeleverd)|\
bezorging .. mislukt) :: Onbestelbaar: offerte
(niedostarczaln~|niedostarczon~|nie można dostarczyć|zwrot~ .. (poczt~|wiadomo~)|\
niedoręczon~) :: Niedostarczalne: oferta
(недоставлен~|не доставлено|невозможно доставить|не удалось доставить|недоставка|\
не может быть доставлено) :: Ваше сообщение не доставлено. Mail failure.
(nedoručiteln~|nedoručen~|kézbesíthetetlen|olevererbart|ej levererat|kan inte levereras|ikke levert|\
kunne ikke leveres|ikke leveret|toimittamaton|teslim edilemedi|nelivrabil) :: Nedoručitelné: nabídka
(配信できません|配信不能|配送エラー|配信エラー|送信エラー|メールエラー|送信できません|配信不可|不達|\
エラー通知|配信できなかった|未配達|配信に失敗|送信に失敗) :: メールエラー通知
(退信|无法投递|系统退信|投递失败|无法送达|退回|未送达|傳遞失敗|無法傳送|未傳遞|退件) :: 系统退信
(반송|배달되지 않음|배달 실패|전송 실패|전달되지 않음|발송 실패) :: 반송된 메일
(לא ניתן למסירה|غير قابل للتسليم|αδυναμία παράδοσης) :: לא ניתן למסירה: הצעה
"""
"""What the subjects of reports contain."""

NOTICES = """
delivery to the following recipient~ (failed|has been|was|\
is) :: Delivery to the following recipient failed permanently:
(your|the|this|a) (message|mail|email|e mail)( message|) .. (could not|couldn t|cannot|can not|can t|\
wasn t|was not|has not been|hasn t been|not able to be|unable to be|not been|failed to|did not|didn t|\
not be|won t be|will not be|returned below could not|has been) (be |been |)(delivered|deliver|reach|sent|\
forwarded|undeliverable|returned|completed|successfully|transmitted|relayed|queued|rejected|accepted|\
bounced|delayed) :: Your message could not be delivered for more than 2 hour(s).
(could not|couldn t|cannot|can not|can t|unable to|failed to|was unable to|not able to|were unable to|\
wasn t able to|was not able to) (be |)(deliver~|be sent|reach|send|forward|transmit|relay) (your|the|\
this|to|mail|it|a|following|message|messages|for|any|email|all|one|because|due|\
in) :: Sorry, we were unable to deliver your message to the following address.
(wasn t|was not|weren t|not|couldn t be|could not be|never|cannot be|can t be) deliver~ (to|because|\
since|due|for|the following) :: Your message wasn't delivered to jane@acme.example because the address \
couldn't be found.
(message|mail|email|address~|recipient~) .. (undeliverable|nondeliverable|non deliverable|\
not deliverable) :: The message that you sent was undeliverable to the following:
(undeliverable|undelivered|undelivere) (mail|message|to|email|address|recipients|for|\
messages) :: Undeliverable message to the following
(returned|returning|bounced|sent back) .. (message|mail|sender|undeliver~|\
email) :: The mail is returned to its sender, message undelivered
did not reach the following :: did not reach the following recipient(s):
(did not|didn t|couldn t) .. (reach|receive) .. (recipient~|copy|message|mailbox|\
mail) :: The following addresses did NOT receive a copy of your message:
(following|these|some|intended) (address~|recipient~|destination~|mailbox~|user~|people)( address~|\
 addresses|) .. (had|failed|fail|rejected|unknown|problem~|error~|invalid|undeliver~|not|permanent|\
couldn t|returned|unreach~) :: The following addresses had permanent fatal errors
(failed|undeliverable|invalid|intended|rejected|unknown) (address~|recipient~) (follow|follows|list|\
below|are|s) :: Failed addresses follow:
list of failed (recipients|addresses) :: here is your list of failed recipients
this is (a|an) .. (delivery|bounce|bounced|non delivery|undeliver~|returned|error) (failure|notification|\
message|report|status|mail|notice) :: This is a delivery failure notification message
this is a (permanent|fatal) error :: This is a permanent error; I've given up. Sorry it didn't work out.
automatic bounce notification :: automatic bounce notification (english text below)
(delivery|deliver) (status|failure|failed|error|report|problem|notification|unsuccessful|has failed|\
of your message|incomplete|attempt|temporarily|\
to these) :: This is an automatically generated Delivery Status Notification
(message|delivery|mail) (has |)(failed|failure|unsuccessful|aborted|not successful|\
error) :: Message delivery failed
(an |)error .. (occurred|while|attempting|delivering|trying|deliver|sending) .. (deliver~|message|mail|\
sending|send) :: An error occurred while trying to deliver the mail to the following recipients:
(transcript of|session|smtp) (the |)(session|transcript|conversation|dialog|\
attempts) :: Transcript of session follows
(reason~|cause|error|explanation) (for|of) (the |)(failure|rejection|bounce|return|non delivery|\
nondelivery|error|delivery) :: Reason for failure follows
(failure reasons|failure reason|delivery failure|failure notice|error description|error message below|\
diagnostic information for administrators|generating server|technical details of (permanent|\
temporary) failure|technical report|diagnostic code|reason for rejection|reject reason|\
error code) :: Failure Reasons
(trouble|problem|problems|difficulty|unable) .. (delivering|\
deliver) :: We had trouble delivering your message. Full details follow:
(this user doesn t have|this account has been disabled|user s mailbox is full|user unknown|unknown user|\
unknown host|no such user|invalid user address|mailbox is full|\
as their mailbox is full) :: Error: Invalid user address
(hi|hello|sorry) .. (mailer daemon|qmail send|mta program|\
mail transfer agent) :: Hi. This is the qmail-send program at mx.acme.example.
(mailer daemon|mail delivery (system|subsystem|software)|\
mail delivery agent) :: This message was created automatically by mail delivery software.
not (a |)member of this mailing list :: You are not a member of this mailing list <board@acme.example>.
group you tried to contact :: We're writing to let you know that the group you tried to contact (board) \
may not exist
(you|message|mail|post|posting) .. (not allowed|not permitted|not authorized|rejected|no permission|\
not have permission) .. (post|send|list|group|posting|\
mailing) :: You are not allowed to post to this mailing list
(awaits|awaiting|held for|pending) (moderator|approval|\
moderation) :: Your mail to 'Board' awaits moderator approval
duplicated message id :: Duplicated Message-ID in <board@acme.example>.
was not delivered to :: was not delivered to:
has (not been|been) (refused|rejected|blocked|quarantined|returned|\
bounced) :: Your mail has been rejected by the server
(message|mail|email) .. (rejected|refused|blocked|discarded) .. (by|because|due|from|\
for) :: Your message was rejected by the recipient's server
(konnte|konnten|kann|können) .. nicht (zugestellt|ausgeliefert|übermittelt|gesendet|überbracht|\
verschickt|zustellen) :: Ihre Nachricht konnte nicht zugestellt werden
(fehler|fehlgeschlagen|unzustellbar|nicht zustellbar|nicht erreicht|nicht zugestellt|\
zustellung) .. (zustell~|nachricht|empfänger~|übermitt~|adresse~|\
e mail) :: Fehler bei der Zustellung der Nachricht an folgende Empfänger
(gruppe|groupe|grupo|gruppo|groep) .. (kontaktieren|contacter|contactar|contattare|contatar|\
bereiken) :: die Gruppe, die Sie kontaktieren möchten
(n a pas pu être|n a pu être|n ont pas pu être|impossible de|échec de la|n a pas été|n avons pas pu|\
n est pas parvenu~|non remis~|non distribu~|\
pas pu être remis) :: Votre message n'a pas pu être remis aux destinataires suivants
(no se (pudo|ha podido|puede|pudieron) (entregar|enviar)|no ha podido (entregarse|ser entregado)|\
no (pudo|puede) ser entregado|error al entregar|no fue entregado|no llegó a|no se entregó|\
no hemos podido entregar) :: No se pudo entregar el mensaje
(não (pôde|pode|foi) (ser |possível |)(entreg~|envia~)|não foi entregue|falha na entrega|\
não foi possível entregar|nao foi possivel entregar|não pôde ser|\
não chegou) :: Sua mensagem não pôde ser entregue
(non (è stato|è stata|può essere|ha potuto|è possibile|sono stati) .. (consegnat~|recapitat~|recapitare|\
consegnare|inviat~)|impossibile (consegnare|recapitare|inviare)|mancato recapito|recapito non riuscito|\
recapito .. fallito) :: Il messaggio non è stato recapitato
(kon niet worden|kan niet worden|kunnen niet worden|is niet|konden niet worden|kon niet) .. (bezorgd|\
afgeleverd|verzonden|besteld|bezorgen|afleveren) :: Uw bericht kon niet worden bezorgd
(nie (mogła|może|można|mógł|został~|udało się|mogło) .. (dostarcz~|doręcz~)|nie (została|\
zostało) (dostarczon~|doręczon~)|niedostarczon~) :: Wiadomość nie mogła zostać dostarczona
(не (может|могло|было|удалось|был|доставлен~|может быть|смог~) .. доставлен~|не удалось доставить|\
невозможно доставить|не доставлен~|не удается доставить) :: К сожалению, Ваше письмо не может быть \
доставлено одному или нескольким получателям:
(nemohla být|nemohl být|nebyla|nebylo možné|se nepodařilo|\
nelze) .. (doruč~) :: Zpráva nemohla být doručena
(nem (lehetett|sikerült|kézbesíthető)|kunde inte (levereras|skickas)|kunne ikke leveres|\
ei voitu toimittaa|teslim edilemedi|nu a putut fi livrat~|\
δεν ήταν δυνατή) :: Meddelandet kunde inte levereras
(配信できません|配送できません|送信できません|配信不能|お届けできません|届けることができません|\
配達できません|配信することができません|配信に失敗|送信に失敗|配信されません|送ることができません|\
配送することができません|届きませんでした|配信できなかった|エラーが発生|配信エラー|宛先に対して配信|\
送信することができません|返送|お届けすることができません|\
到達しません) :: 送信先のメールボックスが一杯のため、送信できませんでした。
(ディレクトリのリスト|宛先不明|存在しません|メールアドレスが見つかり) :: ディレクトリのリストにありません
(无法送达|无法投递|退信|投递失败|未能送达|无法发送到|发送失败|无法传递|没有送达|被退回|退回|不能送达|\
傳送失敗|無法傳遞|無法傳送|無法投遞|未能傳遞) :: 您的邮件无法送达
(배달하지 못했|전송되지 않|전달할 수 없|배달되지|전송하지 못|발송되지|전송에 실패|전달되지 않|\
반송) :: 메시지를 배달하지 못했습니다
"""
"""The sentences that reports are known by. Each stands near the beginning of the report."""

WARNINGS = """
(warning message only|this is a warning|this is only a warning|\
warning only) :: THIS IS A WARNING MESSAGE ONLY.
(do not|don t) need to resend :: YOU DO NOT NEED TO RESEND YOUR MESSAGE.
has been delayed :: Delivery to the following recipient has been delayed:
(still|will) (be|being) retried :: It will be retried until it is 5 days old.
(will|are|is) (keep|continue~|still) (trying|to try|to attempt|to retry|\
attempting) :: The server will keep trying for 2 more days
(not yet been|has not yet|not been) (delivered|been delivered) (yet|after|\
for) :: The message has not been delivered yet for the following recipients
(delayed|delay) .. (delivery|hours|retry|\
deliver) :: Your message is delayed: delivery will be attempted again
(delivery|message|mail) (is |has been |)(delayed|\
delay) :: Delivery is delayed to these recipients or groups
(no action is required|zustellung verzögert|verzögert~|retardé~|retraso|retrasad~|atrasad~|ritard~|\
vertraag~|opóźnion~|задерж~|遅延|延迟) :: Die Zustellung verzögert sich
gmail will retry :: Gmail will retry for 46 more hours.
"""
"""The sentences that warn of a delay: the mail may still arrive."""

ORIGINALS = """
original (message|mail|e mail|email)( follows| headers| header| text| attached|\
) :: ----- Original message -----
(copy|copies) of (the|your|the original|my) (message|mail|original|email|\
header~) :: --- Below this line is a copy of the message.
(returned|unsent|undelivered|bounced|rejected|old|unsendable|failed|undeliverable|sent) (message|mail|\
e mail|email)( follows| is| text| header~|) :: ----- Unsent message follows -----
(message|mail) (text|header~|body|contents|source)( follow~|) :: Message text follows:
(header~|headers|beginning|first .. lines|text|content~|start|part|portion) of (the |your |)(original |\
returned |undelivered |)(message|mail|email) :: --- The header of the original message is following. ---
included is a copy :: Included is a copy of the message header:
your (original |)(message|mail|email) (follows|was|is|reads|begins|header~|\
text) :: Your original message follows
(ursprüngliche|originale|original) (nachricht|e mail|mail) :: ----- Ursprüngliche Nachricht -----
(message d origine|message original|mensaje original|messaggio originale|mensagem original|\
oorspronkelijk~ bericht|oryginalna wiadomość|исходное (сообщение|письмо)|\
původní zpráva) :: ----- Message d'origine -----
(元のメール|オリジナルメッセージ|元のメッセージ|原始邮件|原邮件|원본 메시지|\
元のヘッダ) :: ----- 元のメール -----
"""
"""The lines under which the original stands; they count where header lines follow."""

NOT_REPORTS = """
(mailbox|address|inbox|account) .. (is |)(not|no longer) (monitored|checked|attended|read|\
in use) :: This mailbox is not monitored.
(out of (the |)office|on vacation|on annual leave|away from|on leave|parental leave|maternity leave|\
on holiday|out of town) :: I am out of the office until Monday.
(i|i m|i ve|i am|i have|i will|i ll) (am|be|will|have|left|out|away|currently|no longer|\
not) :: I am currently away and will answer later
no longer (with|work|works|working|employed|an employee) :: Jane Roe is no longer with Acme.
(left|leaving) (the |)(company|organization|organisation|firm|business|acme) :: Jane has left the company.
(vacation|autoreply|auto reply|automatic reply|auto response|autoresponder|abwesen~|\
abwesenheitsnotiz) :: Automatic reply: away
(confirm|confirmation|verify) .. (your (message|email|address|identity|request)|that you|sender|\
by replying|clicking) :: Please confirm your message by replying to this mail
(nicht mehr (im|in|für|bei|tätig|erreichbar)|verlassen|ausgeschieden|im urlaub|\
außer haus) :: Frau Roe ist nicht mehr bei uns tätig
(ne travaille plus|a quitté|ne fait plus partie|en congés|absent~) :: Jane a quitté la société
(ya no (trabaja|forma|está)|fuera de la oficina|de vacaciones|não trabalha mais|non lavora più|\
fuori sede) :: Jane ya no trabaja aquí
(退社|退職|不在|休暇|外出|離職|离职|休假|퇴사|휴가) :: 退職いたしました
"""
"""What people and their responders say of themselves; no mail system does in a report."""

CONTACTS = """
(contact|help|assistance|support|questions|write to|ask|reply to|respond to|\
administrator|postmaster|kontakt~|wenden|hilfe|contacter|contacte|contattare|\
neem contact|連絡|お問い合わせ|联系|联络|문의) :: For further assistance, please contact <help@acme.example>
"""
"""The words before an address at which to ask for help."""

HELPDESKS = frozenset(
    "abuse admin administrator contact customercare customerservice feedback help helpdesk hilfe hostmaster "
    "info itsupport noc security service servicedesk support sysop technik webmaster".split(),
)
"""The local parts at which help is offered: a report names them without being about them."""

RECIPIENT_LABELS = """
(recipient|recipients|recipient address|recipient s|rcpt to|rcpt|failed recipient~|to recipient|\
final recipient|original recipient|empfänger|empfaenger|destinataire~|destinatario~|destinatário~|\
ontvanger~|odbiorca|получател~|mottagare|příjemce|宛先|受信者|收件人|收件者|수신자|\
받는 사람) :: Recipient: <jane@acme.example>
(delivered to|deliver to|deliver message to|deliver mail to|delivery to|delivering to|\
delivery of message to|reach|forward to|sent to|send to|message to|mail to|addressed to|undeliverable to|\
mailing list|delivered (message |)to (user|address|recipient)|bounced from|returned from|account|user|\
mailbox|address|addresses|for|id|e mail|email address|mail address|user name|unknown user|unknown host|\
to) :: Could not be delivered to: <jane@acme.example>
(full|unknown|failed|invalid|rejected|size|undeliverable|not found|nonexistent|error~|errors|exceeded|\
exist|errors for|zugestellt werden|an|für|remis à|entregar a|\
consegnato a) :: User mailbox exceeds allowed size: jane@acme.example
"""
"""The words after which a report names the recipient."""

_FORWARD = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|re|aw|sv|vs|antw|odp|res|rif|转发|轉寄|答复|回复)\s*[:\uff1a]", re.IGNORECASE
)
_NUMBERED = re.compile(r"[0-9.=+].*", re.DOTALL)
_LIST_ADMIN = re.compile(
    r"(?:^owner-|-(?:owner|admin|request|bounces?|errors?|relay)$|^(?:list|sympa|majordomo|mailman|ezmlm))"
)
_LIST_SUFFIX = re.compile(r"-(?:owner|admin|request|bounces?|errors?|relay)$")
_ROBOT = re.compile(
    r"^(?:no|do|dont|do[-_.]?not)[-_.]?(?:t?[-_.]?)?reply|^noreply|^notification|^mail$|^info-daemon|daemon"
)


def is_daemon(local_part: str) -> bool:
    """Say whether a mail system would send under this local part."""
    local = local_part.lower()
    return local in _daemons() or _NUMBERED.sub("", local) in _daemons() or "daemon" in local


@cache
def _daemons() -> frozenset[str]:
    return frozenset(DAEMONS)


def is_robot(local_part: str) -> bool:
    """Say whether the local part is that of a machine or a list manager, though maybe not a mail system."""
    local = local_part.lower()
    return _ROBOT.match(local) is not None or is_list_admin(local)


def is_list_admin(local_part: str) -> bool:
    """Say whether the local part is that under which list managers send."""
    return _LIST_ADMIN.search(local_part.lower()) is not None


def is_answer(subject: str) -> bool:
    """Say whether the subject is that of a forwarded or answered mail."""
    return _FORWARD.match(subject) is not None


def list_address(sender: str) -> str:
    """Return the address of the list that a list manager's address belongs to, or the empty string."""
    local, _, domain = sender.rpartition("@")
    if not is_list_admin(local):
        return ""
    board = _LIST_SUFFIX.sub("", local.lower().removeprefix("owner-"))
    return f"{board}@{domain}" if board != local.lower() else ""


@cache
def _index(rows: str) -> Index:
    return Index(phrases(rows))


def says(rows: str, text: str) -> bool:
    """Say whether a phrase of one of the tables above stands in a text."""
    return _index(rows).find(plain(text)) is not None


def first_word_of(rows: str, words: str) -> str:
    """Return the phrase of one of the tables above that stands in a `plain` text, or the empty string."""
    phrase = _index(rows).find(words)
    return phrase.example if phrase is not None else ""
