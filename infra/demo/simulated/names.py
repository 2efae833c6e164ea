"""Names to give to customers whose data has none: common ones, put together by chance. Nobody is meant."""

PERSIAN_GIVEN = (
    *(("سارا", "Sara"), ("مریم", "Maryam"), ("زهرا", "Zahra"), ("نرگس", "Narges"), ("شیرین", "Shirin"), ("لیلا", "Leila")),
    *(("پریسا", "Parisa"), ("نگار", "Negar"), ("الهام", "Elham"), ("فاطمه", "Fatemeh"), ("نازنین", "Nazanin"), ("مهسا", "Mahsa")),
    *(("کیمیا", "Kimia"), ("یاسمن", "Yasaman"), ("گلناز", "Golnaz"), ("آزاده", "Azadeh"), ("سمیرا", "Samira"), ("رویا", "Roya")),
    *(("علی", "Ali"), ("رضا", "Reza"), ("محمد", "Mohammad"), ("حسین", "Hossein"), ("امیر", "Amir"), ("مهدی", "Mehdi")),
    *(("علی‌رضا", "Alireza"), ("کیان", "Kian"), ("آرش", "Arash"), ("بهرام", "Bahram"), ("سعید", "Saeed"), ("کامران", "Kamran")),
    *(("نیما", "Nima"), ("پویا", "Pouya"), ("فرهاد", "Farhad"), ("امیرحسین", "Amirhossein"), ("یاشار", "Yashar"), ("بابک", "Babak")),
)
"""As written in Persian, and as their bearers write them in Latin letters."""

PERSIAN_FAMILY = (
    *(("کریمی", "Karimi"), ("رضایی", "Rezaei"), ("احمدی", "Ahmadi"), ("حسینی", "Hosseini"), ("محمدی", "Mohammadi")),
    *(("اکبری", "Akbari"), ("کاظمی", "Kazemi"), ("یزدانی", "Yazdani"), ("شیرازی", "Shirazi"), ("تهرانی", "Tehrani")),
    *(("نیک‌پور", "Nikpour"), ("صادقی", "Sadeghi"), ("مرادی", "Moradi"), ("قاسمی", "Ghasemi"), ("رستمی", "Rostami")),
    *(("بهرامی", "Bahrami"), ("سلطانی", "Soltani"), ("فرهادی", "Farhadi"), ("کیانی", "Kiani"), ("پارسا", "Parsa")),
    *(("جعفری", "Jafari"), ("موسوی", "Mousavi"), ("نوری", "Nouri"), ("آریا", "Aria"), ("زمانی", "Zamani")),
    *(("شریفی", "Sharifi"), ("امیری", "Amiri"), ("گلستانی", "Golestani"), ("دانش‌پژوه", "Daneshpajouh"), ("خسروی", "Khosravi")),
)

_ENGLISH_GIVEN = """
    Alice Amy Anna Barbara Carol Claire Diane Emma Grace Helen Jane Julia Karen Laura Linda Lucy Mary Megan Nancy Olivia Rachel Ruth
    Sarah Susan Adam Alan Andrew Brian Charles Daniel David Edward Frank George Henry James John Kevin Mark Martin Michael Paul Peter
    Philip Richard Robert Simon Stephen Thomas William
"""
_ENGLISH_FAMILY = """
    Adams Allen Baker Barnes Bell Bennett Brooks Brown Butler Campbell Carter Clark Coleman Cooper Cox Davis Evans Fisher Foster Gray
    Green Griffin Hall Harris Hayes Hill Howard Hughes Jenkins Kelly King Lewis Long Marshall Mason Mills Moore Morgan Murphy Nelson
    Owens Palmer Parker Perry Porter Price Reed Rice Rogers Ross Russell Scott Shaw Simmons Stone Taylor Turner Walker Ward Watson West
    Wood
"""
ENGLISH_GIVEN = tuple(_ENGLISH_GIVEN.split())
ENGLISH_FAMILY = tuple(_ENGLISH_FAMILY.split())

PERSIAN_CITIES = ("تهران", "اصفهان", "شیراز", "تبریز", "مشهد", "رشت", "کرمان", "یزد", "اهواز", "قزوین", "ساری", "همدان")
ENGLISH_CITIES = ("London", "Toronto", "Boston", "Dublin", "Leeds", "Seattle", "Austin", "Bristol", "Ottawa", "Denver")
