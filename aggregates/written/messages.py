"""The sentences about mistakes, in both languages. A test shows that each code has both and that they name the same words."""

PLACE = {"en": "line {line}, {pointer}: {message}", "fa": "سطر {line}، {pointer}: {message}"}
MEANT = {"en": " Did you mean {}?", "fa": " آیا منظورتان {} است؟"}

MESSAGES: dict[str, dict[str, str]] = {
    "unreadable": {"en": "This is neither YAML nor JSON.", "fa": "این متن نه YAML است و نه JSON."},
    "not_closed": {
        "en": "What {mark} opens in line {from} is not closed, or a comma is missing.",
        "fa": "آنچه در سطر {from} با {mark} باز شده بسته نشده، یا ویرگولی جا افتاده است.",
    },
    "quote_not_closed": {
        "en": "The quote that opens in line {from} is not closed.",
        "fa": "گیومه‌ای که در سطر {from} باز شده بسته نشده است.",
    },
    "colon_astray": {
        "en": "A colon cannot stand here: put a text that has one into quotes, or mend how far lines are indented.",
        "fa": "اینجا جای دونقطه نیست: متنی را که دونقطه دارد در گیومه بگذارید، یا تورفتگی سطرها را درست کنید.",
    },
    "tabs": {"en": "Lines are indented by spaces, not by tabs.", "fa": "سطرها با فاصله تو می‌روند، نه با Tab."},
    "character_astray": {
        "en": "No value begins with {mark}: put it into quotes.",
        "fa": "هیچ مقداری با {mark} آغاز نمی‌شود: آن را در گیومه بگذارید.",
    },
    "line_astray": {
        "en": "This does not go with the lines above it: mend how far they are indented.",
        "fa": "این با سطرهای بالای خود نمی‌خواند: تورفتگی سطرها را درست کنید.",
    },
    "too_long": {"en": "The text is longer than {limit} characters.", "fa": "متن از {limit} نویسه بلندتر است."},
    "too_many_values": {"en": "There are more than {limit} values.", "fa": "بیش از {limit} مقدار در متن هست."},
    "too_deep": {"en": "The text is nested too deeply.", "fa": "متن بیش از اندازه تودرتو است."},
    "name_is_no_word": {"en": "A name must be a word.", "fa": "نام باید یک واژه باشد."},
    "twice": {"en": "{word} stands here twice, first in line {line}.", "fa": "{word} دو بار آمده است؛ بار نخست در سطر {line}."},
    "not_mapping": {"en": "Here names and values must stand, like {like}.", "fa": "اینجا باید نام و مقدار بیاید، مانند {like}."},
    "not_list": {"en": "Here a list must stand, like {like}.", "fa": "اینجا باید یک فهرست بیاید، مانند {like}."},
    "not_text": {"en": "{word} must be a text.", "fa": "{word} باید متن باشد."},
    "empty": {"en": "{word} is empty.", "fa": "{word} خالی است."},
    "text_too_long": {"en": "{word} is longer than {limit} characters.", "fa": "{word} از {limit} نویسه بلندتر است."},
    "no_name": {
        "en": "{word} must be one word, without spaces, slashes and quotes.",
        "fa": "{word} باید یک واژه باشد، بی فاصله، ممیز و گیومه.",
    },
    "leads_elsewhere": {
        "en": "{word} cannot be a name: an address that ends in it leads to something else.",
        "fa": "{word} نمی‌تواند نام باشد: نشانی‌ای که به آن پایان می‌یابد به جای دیگری می‌رسد.",
    },
    "no_word": {
        "en": "{word} must be Latin letters, digits and _, beginning with a letter.",
        "fa": "{word} باید از حروف لاتین، رقم و _ باشد و با حرف آغاز شود.",
    },
    "no_type": {
        "en": "{word} must be the type of an event, like call.ended.",
        "fa": "{word} باید نوع یک رویداد باشد، مانند call.ended.",
    },
    "not_whole": {"en": "{word} must be a whole number from {low} to {high}.", "fa": "{word} باید عددی درست از {low} تا {high} باشد."},
    "not_number": {"en": "{word} must be a number from {low} to {high}.", "fa": "{word} باید عددی از {low} تا {high} باشد."},
    "no_duration": {
        "en": "{word} must be a time like 15m, 2h, 30d or 1w.",
        "fa": "{word} باید مدتی باشد مانند 15m، 2h، 30d یا 1w.",
    },
    "duration_zero": {"en": "{word} must be longer than nothing.", "fa": "{word} باید بیش از صفر باشد."},
    "duration_too_long": {"en": "{word} must not be longer than {limit}.", "fa": "{word} نباید از {limit} بیشتر باشد."},
    "no_percent": {"en": "{word} must be a part of a hundred, like 10%.", "fa": "{word} باید درصد باشد، مانند 10%."},
    "no_clock": {
        "en": 'A time of day must be a text like "21:00", in quotes: many YAML readers take 21:00 for a number.',
        "fa": 'ساعت باید متنی مانند "21:00" در گیومه باشد: بسیاری از خوانندگان YAML آن را عدد می‌پندارند.',
    },
    "no_zone": {"en": "{word} is no time zone.", "fa": "{word} منطقهٔ زمانی نیست."},
    "unknown_word": {"en": "{word} is not known here.", "fa": "{word} اینجا شناخته نیست."},
    "unusual_word": {
        "en": "{word} is none of the usual names, and is taken as one of your own.",
        "fa": "{word} از نام‌های معمول نیست و نامی از خودتان شمرده می‌شود.",
    },
    "not_counted": {
        "en": "{word} is not among counts: contacts by it are never capped.",
        "fa": "{word} در counts نیست: تماس‌های آن هرگز به سقف نمی‌خورند.",
    },
    "circle": {
        "en": "{word} would ask for itself by this, directly or by way of other segments.",
        "fa": "{word} از این راه، خود یا به واسطهٔ بخش‌بندی‌های دیگر، خودش را می‌پرسد.",
    },
    "no_segment": {"en": "There is no segment {word} yet.", "fa": "هنوز بخش‌بندی‌ای به نام {word} نیست."},
    "keeps_nobody": {
        "en": "With notify a holdout keeps nobody out: our own people are told of everybody.",
        "fa": "با notify، holdout کسی را کنار نمی‌گذارد: همکاران از همه خبردار می‌شوند.",
    },
    "never_equal": {
        "en": "{word} is never {given} in an event of this type.",
        "fa": "{word} در رویدادی از این نوع هرگز {given} نیست.",
    },
    "share": {
        "en": "{word} is a share from 0 to 1, and is never more.",
        "fa": "{word} سهمی از 0 تا 1 است و هرگز بیشتر نمی‌شود.",
    },
    "no_text": {
        "en": "No text, or no subject, is written for {word} by {channel}: the customer would read just its name.",
        "fa": "برای {word} از راه {channel} متن یا عنوانی نوشته نشده است: مشتری فقط نامش را می‌خواند.",
    },
    "no_rule": {
        "en": "No rule is named {word}: until one is, this stops nothing.",
        "fa": "قاعده‌ای به نام {word} نیست: تا نباشد، این توقف چیزی را نگه نمی‌دارد.",
    },
    "unknown_choice": {"en": "{word} may be {choices}, not {given}.", "fa": "{word} می‌تواند {choices} باشد، نه {given}."},
    "missing": {"en": "{word} is missing.", "fa": "{word} نیامده است."},
    "exactly_one": {"en": "Exactly one of {choices} must stand here.", "fa": "اینجا باید درست یکی از {choices} بیاید."},
    "not_together": {"en": "{one} and {other} cannot stand together.", "fa": "{one} و {other} با هم نمی‌آیند."},
    "same_name": {"en": "There is another rule named {word}, in line {line}.", "fa": "قاعدهٔ دیگری به نام {word} در سطر {line} هست."},
    "many_rules": {"en": "This is another rule: only one may stand here.", "fa": "این قاعدهٔ دیگری است: اینجا تنها یک قاعده می‌آید."},
    "no_rules": {"en": "There is no rule in it.", "fa": "هیچ قاعده‌ای در آن نیست."},
    "rearm_above": {
        "en": "rearm_below must not be above rises_to: the rule would never come to rest.",
        "fa": "rearm_below نباید از rises_to بیشتر باشد: قاعده هرگز آرام نمی‌گیرد.",
    },
    "quiet_all_day": {"en": "from and to are the same time.", "fa": "from و to یک ساعت‌اند."},
    "no_value": {
        "en": "{word} must be compared with a text, a number, true or false.",
        "fa": "{word} باید با متن، عدد، true یا false سنجیده شود.",
    },
    "cel_unreadable": {
        "en": "This is not written as a CEL expression, at {place}.",
        "fa": "این عبارت به زبان CEL درست نوشته نشده است: {place}.",
    },
    "cel_too_long": {"en": "The expression is longer than {limit} characters.", "fa": "عبارت از {limit} نویسه بلندتر است."},
    "cel_too_deep": {"en": "The expression is nested too deeply.", "fa": "عبارت بیش از اندازه تودرتو است."},
    "cel_name": {
        "en": "{word} is not known in an expression; an event has {names}.",
        "fa": "{word} در عبارت شناخته نیست؛ هر رویداد {names} دارد.",
    },
    "cel_function": {"en": "{word}() is no function.", "fa": "{word}() تابع نیست."},
    "cel_method": {"en": "{word}() is no function of values.", "fa": "{word}() تابعی روی مقدارها نیست."},
    "cel_count": {"en": "{word}() takes another number of values: {count}.", "fa": "شمار مقدارهای {word}() نادرست است: {count}."},
    "cel_has": {"en": "has() takes a field, like has(data.campaign).", "fa": "has() یک فیلد می‌گیرد، مانند has(data.campaign)."},
    "cel_macro": {
        "en": "{word}() takes a name and an expression, like {word}(line, line.quantity > 1).",
        "fa": "{word}() یک نام و یک عبارت می‌گیرد، مانند {word}(line, line.quantity > 1).",
    },
    "cel_never": {
        "en": "{word}() can make nothing of {given}: whatever the event, it has no value.",
        "fa": "{word}() از {given} چیزی نمی‌فهمد: رویداد هر چه باشد، مقداری ندارد.",
    },
    "cel_unknown": {"en": "{word} is not known here.", "fa": "{word} اینجا شناخته نیست."},
}
