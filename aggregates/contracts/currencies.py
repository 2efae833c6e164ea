"""The currencies that amounts may be in: the codes of ISO 4217 that money is counted in, and hints for what people write instead."""

_CURRENT = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP "
    "CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD "
    "JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
_WITHDRAWN = "ANG CUC HRK SLL ZWL"  # still in histories that are imported

CURRENCIES = frozenset(f"{_CURRENT} {_WITHDRAWN}".split())

TOMAN = frozenset({"IRT", "TOMAN", "TMN", "تومان", "تومن"})
"""Ten rials; a unit of speech and of many shops, not of ISO 4217."""


def mend_currency(code: str) -> str:
    """What to write instead of this code."""
    if code.strip().upper() in TOMAN:
        return 'write the amount in rials (ten for each toman) and the currency "IRR"'
    if code.upper() in CURRENCIES:
        return f'write it in capitals: "{code.upper()}"'
    return 'write one of the codes of ISO 4217, like "IRR" or "EUR"'
