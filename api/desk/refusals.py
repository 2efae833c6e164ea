"""Says in Persian why an event was refused and what to write instead; refusals are kept in English, as senders read them.

A sentence that nobody has translated stays as it was kept. What stands between backticks is code, and reads as machines do.
Reading order: explained, PERSIAN.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from markupsafe import Markup, escape

from aggregates.written.messages import MEANT, MESSAGES
from api.desk.locale import Locale

_KEPT = Markup('<bdi lang="en" dir="ltr">{}</bdi>')
_CODE = Markup('<bdi dir="ltr" class="code">{}</bdi>')
_NUMBER = re.compile(r"[\d,]+(?:\.\d+)?")
_PLACE = re.compile(r"\{(\w+)\}")
_AFTER = (": its cell is empty.", ": map a column to it, or write it under fixed in the mapping.")
"""What is said of a row's column after what its field wants."""

PERSIAN: Mapping[str, str] = {
    # the bytes
    "the JSON is cut off": "JSON پیش از پایان بریده شده است",
    "input data was truncated": "داده پیش از پایان بریده شده است",
    "it is written in UTF-16": "به UTF-16 نوشته شده است",
    "JSON is malformed: {why} (byte {byte})": "در بایت {byte} دیگر JSON درستی نیست",
    "byte {byte} of a text is not UTF-8": "بایت {byte} متن UTF-8 نیست",
    "encode the event as UTF-8": "رویداد را به UTF-8 بفرستید",
    "the JSON is nested too deeply to be read": "JSON تودرتوتر از آن است که بتوان خواند",
    "nest objects and arrays at most {most} deep": "شیءها و فهرست‌ها را حداکثر {most} لایه در هم بگذارید",
    "the JSON holds a number outside the range of a double": "عددی در JSON هست که در double نمی‌گنجد",
    "write such a number as a string": "چنین عددی را به شکل متن بنویسید",
    "send one JSON object, UTF-8, as RFC 8259 has it": "یک شیء JSON به UTF-8 بفرستید، چنان‌که RFC 8259 می‌گوید",
    "more comes after the first JSON value": "پس از نخستین مقدار JSON باز چیزی آمده است",
    "send one JSON object, or several events as one array: [{…}, {…}]": "یک شیء JSON بفرستید، یا چند رویداد را در یک آرایه: `[{…}, {…}]`",
    "send a JSON array of CloudEvents, UTF-8": "فهرستی از CloudEventها به شکل JSON و UTF-8 بفرستید",
    "the body ({kind}) is not JSON: {why}": "بدنه ({kind}) JSON نیست: {why}",
    "send data as a JSON object": "data را به شکل شیء JSON بفرستید",
    "the event has {size} bytes; at most {most} are accepted": "رویداد {size} بایت است؛ حداکثر {most} بایت پذیرفته می‌شود",
    "keep large content elsewhere and send a reference to it": "محتوای بزرگ را جای دیگری نگه دارید و نشانی‌اش را بفرستید",
    "send JSON, plain, or packed as gzip, deflate, br or zstd": "JSON بفرستید، ساده یا فشرده با gzip، deflate، br یا zstd",
    # what a message center delivers
    "the text is in no alphabet that is known (data_coding {number})": "متن به هیچ الفبای شناخته‌ای نیست (`data_coding` {number})",
    "add what it says as data.reason": "آنچه را می‌گوید در `data.reason` بنویسید",
    "the message of the center breaks off": "پیام مرکز پیامک نیمه‌کاره است",
    "it is a receipt, and does not say of what": "رسید است و نمی‌گوید رسید چیست",
    "send the event that it stands for": "رویدادی را بفرستید که این نشان آن است",
    # the envelope
    "the attribute {name} is in several headers that contradict each other": "ویژگی {name} در چند سرآیند ناهمخوان آمده است",
    "send one header for each attribute": "برای هر ویژگی یک سرآیند بفرستید",
    "an attribute is in it more than once, with different values": "یک ویژگی چند بار با مقدارهای ناهمخوان در آن آمده است",
    "send each attribute once": "هر ویژگی را یک بار بفرستید",
    "the event is {kind}, not an object": "رویداد شیء نیست ({kind})",
    "send a CloudEvents 1.0 object": "شیئی از CloudEvents 1.0 بفرستید",
    "the row cannot be read": "این ردیف را نمی‌توان خواند",
    "an event must be an object": "رویداد باید شیء باشد",
    "send a CloudEvent 1.0 as a JSON object": "CloudEvent 1.0 را به شکل شیء JSON بفرستید",
    "it is no CloudEvent 1.0": "CloudEvent 1.0 نیست",
    'write "specversion": "1.0"': 'بنویسید `"specversion": "1.0"`',
    "the attribute {name} is missing": "ویژگی {name} نیامده است",
    "give every event its {name}": "به هر رویداد {name} بدهید",
    "the attribute {name} must be text": "ویژگی {name} باید متن باشد",
    "write it in quotes": "آن را در گیومه بنویسید",
    "the attribute {name} is empty": "ویژگی {name} خالی است",
    "the attribute {name} is longer than {most} characters": "ویژگی {name} بلندتر از {most} نویسه است",
    "write a shorter one": "کوتاه‌تر بنویسید",
    "there is a control character in it": "نویسهٔ کنترلی در آن هست",
    "write letters, digits and punctuation": "حرف، رقم و نشانه بنویسید",
    "the attribute {name} must be true or false": "ویژگی {name} باید true یا false باشد",
    "write true or false": "بنویسید true یا false",
    "this write key may not send this type": "این کلید نوشتن اجازهٔ فرستادن این نوع را ندارد",
    "use the key made for it, or another type": "از کلیدی که برای آن ساخته شده یا از نوع دیگری استفاده کنید",
    "there is no contract for this type": "این نوع قراردادی ندارد",
    "see /v1/schemas for the types there are": "نوع‌های موجود را در `/v1/schemas` ببینید",
    "the type has no such version": "این نوع چنین نسخه‌ای ندارد",
    "the newest is {version}": "تازه‌ترین نسخه {version} است",
    "a version is a whole number": "نسخه عددی درست است",
    "write it like {example}": "مانند {example} بنویسید",
    "data must be JSON": "data باید JSON باشد",
    "write application/json, or leave it out": "بنویسید `application/json` یا نیاوریدش",
    "there is data twice": "داده دو بار آمده است",
    "send data or data_base64, not both": "data یا data_base64 را بفرستید، نه هر دو را",
    "data must be an object": "data باید شیء باشد",
    "it is not JSON in base64": "JSON به base64 نیست",
    "send JSON in data": "JSON را در data بفرستید",
    "another event of this source had the same id and other content": "رویداد دیگری از این منبع همین شناسه و محتوایی دیگر داشت",
    "give every event its own id; to correct an event, send another one": (
        "به هر رویداد شناسهٔ خودش را بدهید؛ برای اصلاح یک رویداد، رویدادی دیگر بفرستید"
    ),
    # the data
    "the field {name} is missing": "فیلد {name} نیامده است",
    "add it": "آن را بیاورید",
    "it must be {wanted}, and is {given}": "باید {wanted} باشد و {given} است",
    "see the schema of the type": "طرح‌وارهٔ این نوع را ببینید",
    "write a list: [...]": "فهرست بنویسید: `[...]`",
    "write an object: {...}": "شیء بنویسید: `{...}`",
    "it must not be below {bound}": "نباید کمتر از {bound} باشد",
    "it must be above {bound}": "باید بیش از {bound} باشد",
    "it must not be above {bound}": "نباید بیش از {bound} باشد",
    "it must be below {bound}": "باید کمتر از {bound} باشد",
    "it is none of the words that may stand here": "از واژه‌هایی نیست که اینجا می‌آیند",
    "it is empty": "خالی است",
    "it is too long": "بیش از اندازه بلند است",
    "it is not written as it must be": "چنان‌که باید نوشته نشده است",
    "write one of: {words}": "یکی از این‌ها را بنویسید: {words}",
    "it is not JSON": "JSON نیست",
    "send JSON": "JSON بفرستید",
    "an event is at most {most} bytes": "رویداد حداکثر {most} بایت است",
    "send less, or several events": "کمتر بفرستید، یا چند رویداد",
    "it has more than {most} levels": "بیش از {most} لایه دارد",
    "send it flatter": "با لایه‌های کمتر بفرستید",
    "there is a character in it that is none": "نویسه‌ای در آن هست که نویسه نیست",
    "the name of a member has a character in it that is none": "در نام یکی از اعضا نویسه‌ای هست که نویسه نیست",
    "it is not a finite number": "عددی متناهی نیست",
    "it is beyond 64 bits": "در ۶۴ بیت نمی‌گنجد",
    "leave NUL characters and halves of surrogate pairs out": "نویسه‌های NUL و نیمه‌های جفت‌های جانشین را نیاورید",
    "send numbers that a double or a 64-bit integer can hold; write longer ones as text": (
        "عددهایی بفرستید که در double یا عدد درست ۶۴ بیتی بگنجند؛ بلندترها را به شکل متن بنویسید"
    ),
    "name at most {most}": "حداکثر {most} تا نام ببرید",
    "name the channels, or leave the field out when all are meant": "کانال‌ها را نام ببرید، یا اگر همه منظور است فیلد را نیاورید",
    "name the traits that were proven, as a list of texts": "ویژگی‌های ثابت‌شده را به شکل فهرستی از متن‌ها نام ببرید",
    "write a number above zero; what comes back is another type of fact": "عددی بیش از صفر بنویسید؛ آنچه پس می‌آید رویدادی از نوع دیگر است",
    "write a number of minutes, not below zero": "شمار دقیقه‌ها را بنویسید، نه کمتر از صفر",
    "write a number of seconds, not below zero, like {example}": "شمار ثانیه‌ها را بنویسید، نه کمتر از صفر، مانند {example}",
    "write a whole number from 1 (bad) to 5 (good)": "عددی درست از ۱ (بد) تا ۵ (خوب) بنویسید",
    "write a whole number, not below zero": "عددی درست بنویسید، نه کمتر از صفر",
    "write an object of names and values": "شیئی از نام‌ها و مقدارها بنویسید",
    "write at most {most} characters, or leave it out": "حداکثر {most} نویسه بنویسید یا نیاوریدش",
    "write it as text of {least} to {most} characters, in quotes": "آن را به شکل متنی با {least} تا {most} نویسه در گیومه بنویسید",
    "write it as text of at most {most} characters": "آن را به شکل متنی با حداکثر {most} نویسه بنویسید",
    "write the address of the page, of at most {most} characters": "نشانی صفحه را بنویسید، با حداکثر {most} نویسه",
    # money
    'write a decimal in quotes with Latin digits and no separators, like "12.50"': (
        'عددی اعشاری در گیومه با رقم‌های لاتین و بی‌جداکننده بنویسید، مانند `"12.50"`'
    ),
    'write a decimal in quotes with Latin digits and no separators, like "12.50", and not below zero': (
        'عددی اعشاری در گیومه با رقم‌های لاتین و بی‌جداکننده بنویسید، مانند `"12.50"`، و نه کمتر از صفر'
    ),
    "it has more digits than an amount may have": "رقم‌هایش بیش از آن است که مبلغ می‌تواند داشته باشد",
    "write at most 18 digits before the point and 8 after it": "حداکثر ۱۸ رقم پیش از ممیز و ۸ رقم پس از آن بنویسید",
    "it is no currency of ISO 4217": "از ارزهای ISO 4217 نیست",
    "there is an amount without its currency": "مبلغی بی‌ارز آمده است",
    "nobody knows of which currency the amounts are": "معلوم نیست مبلغ‌ها به کدام ارزند",
    "nothing of this name is counted": "چیزی به این نام شمرده نمی‌شود",
    'write the amount in rials (ten for each toman) and the currency "IRR"': (
        'مبلغ را به ریال (هر تومان ده ریال) و ارز را `"IRR"` بنویسید'
    ),
    "write it in capitals: {example}": "با حروف بزرگ بنویسید: {example}",
    'write one of the codes of ISO 4217, like "IRR"': 'یکی از کدهای ISO 4217 را بنویسید، مانند `"IRR"`',
    'write one of the codes of ISO 4217, like "IRR" or "EUR"': 'یکی از کدهای ISO 4217 را بنویسید، مانند `"IRR"` یا `"EUR"`',
    # time
    "it is not text": "متن نیست",
    "it is neither text nor a number": "نه متن است و نه عدد",
    "it is no time": "زمان نیست",
    "it is not RFC 3339": "به شکل RFC 3339 نیست",
    "it has no offset, so nobody knows when it was": "اختلاف ساعت ندارد و معلوم نیست کِی بوده است",
    "it has no offset, and the source's time zone is none that is known here": (
        "اختلاف ساعت ندارد و منطقهٔ زمانی منبع هم اینجا شناخته نیست"
    ),
    "rounded to microseconds it is after 9999": "گردشده تا میکروثانیه، پس از سال ۹۹۹۹ است",
    "it is before the year 1 or after 9999 in UTC": "به UTC پیش از سال ۱ یا پس از ۹۹۹۹ است",
    "it is no date of the Gregorian calendar": "در تقویم میلادی چنین روزی نیست",
    "it seems to be a date of the Jalali calendar": "گویا تاریخی جلالی است",
    'write it like "2026-11-22T10:00:00+03:30" or "2026-11-22T06:30:00Z"': (
        'مانند `"2026-11-22T10:00:00+03:30"` یا `"2026-11-22T06:30:00Z"` بنویسید'
    ),
    'write it like "2026-11-22T10:00:00+03:30" or "2026-11-22T06:30:00Z", or have an admin set the source\'s zone': (
        'مانند `"2026-11-22T10:00:00+03:30"` یا `"2026-11-22T06:30:00Z"` بنویسید، یا از مدیر بخواهید منطقهٔ زمانی منبع را بگذارد'
    ),
    'write it like "2026-11-22T10:00:00+03:30" or "2026-11-22T06:30:00Z", or a date alone': (
        'مانند `"2026-11-22T10:00:00+03:30"` یا `"2026-11-22T06:30:00Z"` بنویسید، یا تنها تاریخ را'
    ),
    'write it like "2026-11-22T10:00:00+03:30" or "2026-11-22T06:30:00Z", in the Gregorian calendar': (
        'مانند `"2026-11-22T10:00:00+03:30"` یا `"2026-11-22T06:30:00Z"` بنویسید، به تقویم میلادی'
    ),
    # identifiers
    "who must be an object": "who باید شیء باشد",
    "there are more than {most} identifiers in it": "بیش از {most} شناسه در آن هست",
    "send those of one customer": "تنها شناسه‌های یک مشتری را بفرستید",
    "an identifier must be text": "شناسه باید متن باشد",
    "write one value, or a list of them: {example}": "یک مقدار یا فهرستی از آن‌ها بنویسید: {example}",
    "leave it out when it is not known": "اگر معلوم نیست نیاوریدش",
    "it is longer than {most} characters": "بلندتر از {most} نویسه است",
    "send an id, not a document": "شناسه بفرستید، نه یک سند",
    "it is written as no such identifier is": "چنین شناسه‌ای این‌گونه نوشته نمی‌شود",
    "write it without what does not belong to it": "آن را بی آنچه از آن نیست بنویسید",
    "a kind is a name of small Latin letters, digits and _": "نوعِ شناسه نامی است از حروف کوچک لاتین، رقم و _",
    "it is a whole card number": "شمارهٔ کامل کارت است",
    "write the bank and the last four digits, like {example}; the whole number must not leave the till": (
        "بانک و چهار رقم آخر را بنویسید، مانند {example}؛ شمارهٔ کامل نباید از صندوق بیرون برود"
    ),
    "write the bank and the last four digits, like {example}": "بانک و چهار رقم آخر را بنویسید، مانند {example}",
    "it is not a bank and four digits": "یک بانک و چهار رقم نیست",
    "there is something in it that is no digit": "چیزی در آن هست که رقم نیست",
    "write its eleven digits": "یازده رقمش را بنویسید",
    "a company's number has eleven digits": "شناسهٔ ملی شرکت یازده رقم دارد",
    "write its eleven digits; a person has ten": "یازده رقمش را بنویسید؛ کد ملی اشخاص ده رقم است",
    "its check digit is wrong": "رقم کنترلش درست نیست",
    "look for a mistyped digit": "ببینید کدام رقم اشتباه نوشته شده است",
    "it is not one address with one @": "یک نشانی با یک @ نیست",
    "it is longer than an address may be": "بلندتر از آن است که نشانی می‌تواند باشد",
    "what follows the @ is no domain": "آنچه پس از @ آمده دامنه نیست",
    "write one address, like {example}": "یک نشانی بنویسید، مانند {example}",
    "it is no account number of a bank": "شبای هیچ بانکی نیست",
    "its check digits are wrong": "رقم‌های کنترلش درست نیستند",
    "write its ten digits": "ده رقمش را بنویسید",
    "a person's national number has ten digits": "کد ملی اشخاص ده رقم دارد",
    "write its ten digits; a company's number is another kind": "ده رقمش را بنویسید؛ شناسهٔ ملی شرکت از نوع دیگری است",
    "it is no phone number of any country": "شمارهٔ تلفن هیچ کشوری نیست",
    "an Iranian number has ten digits after the 0": "شمارهٔ ایرانی پس از صفر ده رقم دارد",
    "write the city code too, like {example}": "پیش‌شمارهٔ شهر را هم بنویسید، مانند {example}",
    "it is too short or too long for its country": "برای کشورش بیش از اندازه کوتاه یا بلند است",
    "write it in international form, like {example}": "به شکل بین‌المللی بنویسید، مانند {example}",
    "it is not a network and a handle": "یک شبکه و یک نام کاربری نیست",
    "write the network and the handle, like {example}": "شبکه و نام کاربری را بنویسید، مانند {example}",
    # messages of analytics clients
    "a message must be an object": "پیام باید شیء باشد",
    'send {"type": "track", "event": …, "userId": …}': 'بفرستید `{"type": "track", "event": …, "userId": …}`',
    'send {"batch": [{"type": "track", …}]}': 'بفرستید `{"batch": [{"type": "track", …}]}`',
    "it is no kind of message": "نوعی از پیام نیست",
    "it is no message and no batch of messages": "نه پیام است و نه دسته‌ای از پیام‌ها",
    "an id must be text": "شناسه باید متن باشد",
    "write it in quotes: {example}": "در گیومه بنویسید: {example}",
    "the name of the event is missing": "نام رویداد نیامده است",
    "there is no letter in the name": "در نام هیچ حرفی نیست",
    "the account is missing": "حساب نیامده است",
    "the earlier id is missing": "شناسهٔ پیشین نیامده است",
    "write the id that the person had before": "شناسه‌ای را بنویسید که این شخص پیش‌تر داشت",
    "the id is missing": "شناسه نیامده است",
    "write the id that the person has now": "شناسه‌ای را بنویسید که این شخص اکنون دارد",
    # rows of files
    "the line is no JSON object": "سطر شیء JSON نیست",
    "write one JSON object a line": "در هر سطر یک شیء JSON بنویسید",
    "the row has more cells than there are headers": "خانه‌های سطر از سرستون‌ها بیشتر است",
    "the row has more cells than a sheet may have columns": "خانه‌های سطر از ستون‌هایی که برگه می‌تواند داشته باشد بیشتر است",
    "send no more than 16,384 cells in a row": "در هر سطر حداکثر 16,384 خانه بفرستید",
    "put cells with separators in quotes": "خانه‌هایی را که جداکننده دارند در گیومه بگذارید",
    "a quoted cell of the row is not closed": "گیومهٔ یکی از خانه‌های سطر بسته نشده است",
    "close its quote, or double a quote inside": "گیومه‌اش را ببندید، یا گیومهٔ درون آن را دو بار بنویسید",
    "it is no row of a file": "سطر هیچ پرونده‌ای نیست",
    "keep file, row, type, id and cells as they were": "file، row، type، id و cells را همان‌گونه که بودند نگه دارید",
    "correct the mapping": "نگاشت را اصلاح کنید",
    "it is no {what} that can be read": "{what} نیست که بتوان خواند",
    "write digits, grouped by three or not, like 1,950,000 or 12.5": (
        "رقم بنویسید، با جداکنندهٔ سه‌رقمی یا بی آن، مانند `1,950,000` یا `12.5`"
    ),
    "the row has no time": "سطر زمان ندارد",
    "write when it happened, like {example}": "بنویسید کِی رخ داده است، مانند {example}",
    "the rows of one fact say different things in this column": "سطرهای یک رویداد در این ستون ناهمخوان‌اند",
    "correct it; if each row has its part, say `sum: true` of the column in the mapping": (
        "اصلاحش کنید؛ اگر هر سطر سهمی از آن دارد، در نگاشت برای این ستون `sum: true` بنویسید"
    ),
    "it could be two amounts: whether the sign is between thousands is not sure": (
        "دو مبلغ می‌تواند باشد: معلوم نیست نشانه میان هزارگان است یا نه"
    ),
    "say decimal: point, comma, slash or none in the mapping, or write thousands with a comma, like 250,000": (
        "در نگاشت `decimal: point` یا `comma` یا `slash` یا `none` بنویسید، یا هزارگان را با ویرگول، مانند `250,000`"
    ),
    "it is no date that can be read": "تاریخی نیست که بتوان خواند",
    "its year is not written with four digits": "سالش چهاررقمی نوشته نشده است",
    "it could be two days: which number is the month is not sure": "دو روز می‌تواند باشد: معلوم نیست کدام عدد ماه است",
    "say dates: day_first or month_first in the mapping": "در نگاشت `dates: day_first` یا `dates: month_first` بنویسید",
    "there is no such day in the calendar": "چنین روزی در تقویم نیست",
    "its year belongs to no calendar in use": "سالش در هیچ تقویم رایجی نیست",
    "its time of day cannot be read": "ساعتش را نمی‌توان خواند",
    "write it like 1404/08/30, 1404/08/30 14:05 or 2025-11-21": "مانند `1404/08/30`، `1404/08/30 14:05` یا `2025-11-21` بنویسید",
    "its cell is empty": "خانه‌اش خالی است",
    "map a column to it, or write it under fixed in the mapping": "ستونی را به آن نگاشت کنید، یا در نگاشت زیر fixed بنویسیدش",
    # corrections
    "the body is no JSON Patch": "بدنه JSON Patch نیست",
    "send a list of operations, as RFC 6902 has them": "فهرستی از عملیات بفرستید، چنان‌که RFC 6902 می‌گوید",
    "a patch has at most {most} operations": "یک وصله حداکثر {most} عمل دارد",
    "send a shorter patch": "وصله‌ای کوتاه‌تر بفرستید",
    "there is no such operation": "چنین عملی نیست",
    "the test does not hold": "آزمونِ وصله برقرار نیست",
    "look at the letter again: it is not as you think": "نامه را دوباره ببینید: چنان‌که گمان می‌کنید نیست",
    "the operation {name} is not complete": "عمل {name} کامل نیست",
    "it needs op and path, and value or from where RFC 6902 says so": ("op و path می‌خواهد، و آنجا که RFC 6902 می‌گوید value یا from"),
    "the operation {name} cannot be done at its path": "عمل {name} در نشانی‌اش شدنی نیست",
    "point to what is there: /data/total, /cells/مبلغ": "به چیزی اشاره کنید که هست: `/data/total`، `/cells/مبلغ`",
    "the document grows too large": "سند بیش از اندازه بزرگ می‌شود",
    "it is not JSON, so there is nothing to patch": "JSON نیست و چیزی برای وصله کردن ندارد",
    "send the whole corrected event": "کل رویداد اصلاح‌شده را بفرستید",
    "it would become another event": "رویداد دیگری می‌شد",
    "keep the id and the source that it came with": "شناسه و منبعی را که با آن آمد نگه دارید",
    "look at it, then publish again": "آن را ببینید و دوباره منتشر کنید",
    "another version was published at the same moment": "در همین دم نسخهٔ دیگری منتشر شد",
    # requests
    "Request {number} is {state} and cannot be {what}: it would have to be {states}": (
        "درخواست {number} {state} است و این کار با آن نمی‌شود: باید {states} باشد"
    ),
    "Request {number} goes on in another one and cannot be {what}": "درخواست {number} در درخواست دیگری ادامه دارد و این کار با آن نمی‌شود",
    "Request {number} was cancelled and cannot be {what}": "درخواست {number} لغو شده است و این کار با آن نمی‌شود",
    "Request {number} is {state}: nothing can go on there": "درخواست {number} {state} است: آنجا چیزی ادامه نمی‌یابد",
    "Request {number} is on the highest level already": "درخواست {number} همین حالا در بالاترین سطح است",
    "Request {number} is with {owner} already: to take it over, assign it to yourself": (
        "درخواست {number} اکنون به {owner} سپرده شده است: برای گرفتنش از او، آن را به خود بسپارید"
    ),
    "no request has the number {number}": "درخواستی با شمارهٔ {number} نیست",
    "a request is not merged into itself": "درخواست با خودش یکی نمی‌شود",
    "say to whom, or into which queue": "بگویید به که، یا به کدام صف",
    "say how urgent it is": "بگویید چقدر فوری است",
    "say which calls or orders it is about": "بگویید دربارهٔ کدام تماس یا سفارش است",
    "there is nothing in the note": "یادداشت خالی است",
    "say what is promised": "بگویید چه قولی داده می‌شود",
    "a promise is for a time to come": "قول برای زمانی است که هنوز نیامده",
    "the request has no such promise": "این درخواست چنین قولی ندارد",
    "that promise was kept": "آن قول انجام شده است",
    "say how content the customer is, from 1 to 5": "بگویید مشتری چقدر راضی است، از ۱ تا ۵",
    # keys
    "the key is made already: it was shown then, and only then": (
        "این کلید همان بار که صفحه نخست فرستاده شد ساخته شد و تنها همان بار نشان داده شد؛ اگر آن را نگه نداشته‌اید، کلید دیگری بسازید"
    ),
    # what workers set aside
    "the worker died whenever it processed this record": "پردازشگر هر بار با این رکورد از کار افتاد",
    "PostgreSQL cannot store it ({code})": "PostgreSQL نمی‌تواند آن را نگه دارد ({code})",
}
"""Each clause of a refusal, with places for what it names, in Persian."""

_WORDS: Mapping[str, str] = {
    "text": "متن",
    "a whole number": "عددی درست",
    "a number": "عدد",
    "a list": "فهرست",
    "an object": "شیء",
    "amount": "مبلغی",
    "number": "عددی",
    "true or false": "بله یا نه",
    "a boolean": "بله یا نه",
    "null": "تهی",
    "new": "تازه",
    "open": "باز",
    "waiting": "منتظر مشتری",
    "resolved": "حل‌شده",
    "reopened": "دوباره باز",
    "closed": "بسته",
}


def explained(text: str, locale: Locale) -> Markup:
    """What is wrong or what to write, in the reader's language; what nobody has translated stays in English."""
    if not text or locale.language != "fa":
        return escape(text)
    for after in _AFTER:
        if text.endswith(after) and (before := _said(text.removesuffix(after), locale)):
            return Markup("{}: {}.").format(before, _said(after.lstrip(": "), locale))
    said = _said(text, locale)
    return said + ("" if said.endswith("؟") else ".") if said else _KEPT.format(text)


def _said(text: str, locale: Locale) -> Markup | None:
    """A clause in Persian, without its point."""
    clause = text.removesuffix(".")
    for pattern, persian in _patterns():
        if found := pattern.fullmatch(clause):
            named = found.groupdict().items()
            return _filled(persian, {name: _CODE.format(value) if name == "example" else _word(value, locale) for name, value in named})
    return None


def _word(value: str, locale: Locale) -> Markup:
    """What a clause names: a number, words for what JSON has, a clause of its own, or code."""
    if _NUMBER.fullmatch(value):
        return escape(locale.digits(value.replace(",", "٬").replace(".", "٫")))
    if all(one in _WORDS for one in value.split(" or ")) or value in _WORDS:
        return escape(_WORDS[value] if value in _WORDS else " یا ".join(_WORDS[one] for one in value.split(" or ")))
    return _said(value, locale) or _CODE.format(value)


def _filled(persian: str, words: Mapping[str, Markup]) -> Markup:
    parts = persian.split("`")
    return Markup("").join(_CODE.format(part) if number % 2 else escape(part).format(**words) for number, part in enumerate(parts))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The clauses of refusals, and those of mappings, which were written as texts."""
    return tuple((re.compile(_pattern(english), re.DOTALL), persian) for english, persian in _pairs())


def _pairs() -> Iterator[tuple[str, str]]:
    yield from sorted(PERSIAN.items(), key=lambda pair: "{" in pair[0])  # what names nothing before what may name anything
    for message in MESSAGES.values():
        yield message["en"].removesuffix("."), message["fa"].removesuffix(".")
        yield message["en"] + MEANT["en"].replace("{}", "{example}"), message["fa"] + MEANT["fa"].replace("{}", "{example}")


def _pattern(english: str) -> str:
    """As it begins a sentence or stands in one."""
    first, pattern = english[:1], ""
    for number, part in enumerate(_PLACE.split(english)):
        named = f"(?P={part})" if f"(?P<{part}>" in pattern else f"(?P<{part}>.+?)"
        pattern += named if number % 2 else re.escape(part)
    return f"(?:{re.escape(first)}|{re.escape(first.upper())}){pattern[len(re.escape(first)) :]}" if first.isalpha() else pattern
