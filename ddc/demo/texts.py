"""The demo's texts: templates, some of them in several languages, segments, strategy rules and notes."""

from typing import Any

_MAIL_END = "\n\n{{agency_name}}\n{{agency_address}}\n{{agency_phone}}"

#: (name, type, language, description, subject, body)
_TEXTS: tuple[tuple[str, str, str, str, str | None, str], ...] = (
    ("first_letter", "email", "en", "The first message after placement.", "Your account with {{original_creditor}}",
     "Dear {{debtor_full_name}},\n\n{{original_creditor}} has asked us to help with your account {{debt_reference}}. "
     "{{debt_amount}} is open, due on {{debt_due_date}}.\n\nYou can see it, pay it, or ask for more time here: "
     "{{portal_url}}\n\nIf you think this is a mistake, just answer this mail." + _MAIL_END),
    ("first_letter", "email", "de", "Das erste Schreiben.", "Ihr Konto bei {{original_creditor}}",
     "Guten Tag {{debtor_full_name}},\n\n{{original_creditor}} hat uns gebeten, Ihnen mit dem Vorgang {{debt_reference}} "
     "zu helfen. Offen sind {{debt_amount}}, fällig am {{debt_due_date}}.\n\nHier sehen Sie alles und können um Aufschub "
     "bitten: {{portal_url}}" + _MAIL_END),
    ("first_letter", "email", "es", "La primera carta.", "Su cuenta con {{original_creditor}}",
     "Estimado/a {{debtor_full_name}}:\n\n{{original_creditor}} nos ha pedido que le ayudemos con la cuenta "
     "{{debt_reference}}. Quedan {{debt_amount}}, con vencimiento el {{debt_due_date}}.\n\nPuede verla o pedir más tiempo "
     "aquí: {{portal_url}}" + _MAIL_END),
    ("first_letter", "email", "fr", "La première lettre.", "Votre compte chez {{original_creditor}}",
     "Bonjour {{debtor_full_name}},\n\n{{original_creditor}} nous a confié le dossier {{debt_reference}}. Il reste "
     "{{debt_amount}}, à régler avant le {{debt_due_date}}.\n\nVous pouvez le consulter ou demander un délai ici : "
     "{{portal_url}}" + _MAIL_END),
    ("reminder", "email", "en", "Two weeks later.", "A reminder: {{debt_amount}} for {{original_creditor}}",
     "<p>Dear {{debtor_full_name}},</p><p>we wrote to you about <b>{{original_creditor}}</b>, account "
     "{{debt_reference}}. <b>{{debt_amount}}</b> is still open after {{days_since_placement}} days.</p>"
     '<p>If you need more time, <a href="{{portal_url}}">ask us for it</a>: most requests are granted.</p>'
     "<p>{{agency_name}}<br>{{agency_phone}}</p>"),
    ("reminder", "email", "de", "Zwei Wochen später.", "Erinnerung: {{debt_amount}} für {{original_creditor}}",
     "<p>Guten Tag {{debtor_full_name}},</p><p>wir hatten Ihnen wegen <b>{{original_creditor}}</b> geschrieben. Offen "
     'sind <b>{{debt_amount}}</b>.</p><p>Brauchen Sie Zeit? <a href="{{portal_url}}">Sagen Sie es uns.</a></p>'
     "<p>{{agency_name}}<br>{{agency_phone}}</p>"),
    ("large_balance", "email", "en", "A personal offer for large balances.", "Let us find a way: {{original_creditor}}",
     "Dear {{debtor_full_name}},\n\n{{debt_amount}} is a large sum. We would rather agree on instalments that you can keep "
     "than write again. Call {{agency_phone}}, or answer this mail." + _MAIL_END),
    ("sms_reminder", "sms", "en", "A short reminder.", None,
     "{{agency_name}}: {{debt_amount}} for {{original_creditor}} is open. See or defer it: {{portal_url}} Reply STOP to end."),
    ("sms_reminder", "sms", "de", "Eine kurze Erinnerung.", None,
     "{{agency_name}}: {{debt_amount}} für {{original_creditor}} sind offen. {{portal_url}} STOP beendet das."),
    ("sms_reminder", "sms", "es", "Un recordatorio breve.", None,
     "{{agency_name}}: quedan {{debt_amount}} de {{original_creditor}}. {{portal_url}} Responda STOP para no recibir más."),
    ("voice_reminder", "voice", "en", "Read out on the phone.", None,
     "This is {{agency_name}} with a message for {{debtor_full_name}}. Please call us back on {{agency_phone}}. Thank you."),
    ("late_call", "call_script", "en", "The agent's script for a call after two months.", None,
     "Ask for {{debtor_full_name}}; do not mention the debt to anyone else.\nAccount {{debt_reference}}, "
     "{{original_creditor}}: {{debt_amount}} of {{debt_original_amount}} open. Last payment: {{last_payment_amount}} "
     "{{last_payment_date}}.\nOffer instalments, or a deferral through {{portal_url}}."),
    ("one_time_code", "sms", "en", "The code to sign in with.", None,
     "{{otp_code}} is your code for {{agency_name}}. It is good for 5 minutes. We never ask you for it."),
    ("one_time_code", "sms", "de", "Der Code zum Anmelden.", None,
     "{{otp_code}} ist Ihr Code für {{agency_name}}. Er gilt 5 Minuten. Wir fragen nie danach."),
    ("deferral_approved", "email", "en", "More time was granted.", "You have more time: {{original_creditor}}",
     "Dear {{debtor_full_name}},\n\nwe have granted your request. {{debt_amount}} for {{original_creditor}} is now due on "
     "{{debt_due_date}}; until then you won't hear from us about it." + _MAIL_END),
    ("deferral_rejected", "email", "en", "More time was not granted.", "Your request: {{original_creditor}}",
     "Dear {{debtor_full_name}},\n\nwe could not grant your request for more time on your debt to {{original_creditor}}. "
     "You find the reason when you sign in: {{portal_url}}\n\nCall us, and we will look for another way." + _MAIL_END),
)  # fmt: skip

TEMPLATES: tuple[dict[str, Any], ...] = tuple(
    {
        "name": name,
        "communication_type": channel,
        "language": language,
        "description": description,
        "subject": subject,
        "body": body,
    }
    for name, channel, language, description, subject, body in _TEXTS
)

SEGMENTS: tuple[dict[str, Any], ...] = (
    {"name": "Large balances, USD", "priority": 1, "min_balance": 2500, "currency_code": "USD"},
    {"name": "Large balances, EUR", "priority": 2, "min_balance": 2500, "currency_code": "EUR"},
    {"name": "Likely to pay", "priority": 10, "min_p2p_score": "0.7", "max_p2p_score": "1"},
    {"name": "Undecided", "priority": 20, "min_p2p_score": "0.4", "max_p2p_score": "0.7"},
    {"name": "Unlikely to pay", "priority": 30, "min_p2p_score": "0", "max_p2p_score": "0.4"},
    {"name": "No score yet", "priority": 90},
)

#: (name, segment, template, days since placement)
RULES: tuple[tuple[str, str, str, int], ...] = (
    ("Large USD: offer instalments", "Large balances, USD", "large_balance", 3),
    ("Large EUR: offer instalments", "Large balances, EUR", "large_balance", 3),
    ("Likely: first letter", "Likely to pay", "first_letter", 2),
    ("Likely: SMS after three weeks", "Likely to pay", "sms_reminder", 21),
    ("Undecided: first letter", "Undecided", "first_letter", 2),
    ("Undecided: reminder after two weeks", "Undecided", "reminder", 14),
    ("Unlikely: voice after a month", "Unlikely to pay", "voice_reminder", 30),
    ("Unlikely: an agent calls after two months", "Unlikely to pay", "late_call", 60),
)

DEFERRAL_REASONS = (
    "I have lost my job and start a new one next month.",
    "My salary comes on the 28th; I can pay the whole sum then.",
    "A hospital stay has used up what I had put aside for this.",
    "I am waiting for a tax refund, which should be here within three weeks.",
    "We have just had a child, and the parental allowance is late.",
    "A customer has not paid my last two invoices. As soon as that comes in, you get your money at once.",
)
REVIEW_NOTES = {
    "approved": ("Paid on time before.", "Proof of the new job is in the file.", None),
    "rejected": ("Third request in a row; please call us about instalments.", "The creditor allows no further delay."),
}
DISPUTES = (
    ("I have never had a contract with this company.", None),
    ("I paid this in full in spring.", "A bank statement of 3 April"),
    ("The bill was estimated; my meter shows less.", "A photo of the meter, sent by e-mail"),
    ("I sent the goods back within two weeks.", "The parcel's receipt"),
    ("These fees were never agreed upon.", None),
    ("It was bought with a stolen card; I reported that to the police.", "The police's reference number"),
)
HOLDS = ("A call", "A letter", "An e-mail", "The creditor, by e-mail", "A debt adviser's letter")
CREDITORS = (
    "Northwind Energy", "Blue Harbour Bank", "Contoso Telecom", "Fabrikam Leasing", "Tailspin Cards", "Alpine Health",
)  # fmt: skip
