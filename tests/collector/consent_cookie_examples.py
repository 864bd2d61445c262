"""Consent managers' cookies, shaped as browsers send them: (CONSENT_FORMAT, Cookie header)."""

from urllib.parse import quote

COOKIEBOT = (
    "CookieConsent={{stamp:%27pJ0c2TqkqUX0N/aHkw==%27%2Cnecessary:true%2Cpreferences:true"
    "%2Cstatistics:{statistics}%2Cmarketing:false{method}%2Cver:1%2Cutc:1795340000000"
    "%2Cregion:%27fr%27}}"
)
EXPLICIT = "%2Cmethod:%27explicit%27"
ONETRUST = (
    "OptanonConsent=isGpcEnabled=0&datestamp=Sun+Nov+22+2026+10%3A04%3A51+GMT%2B0100+(CET)"
    "&version=202409.2.0&browserGpcFlag=0&isIABGlobal=false&hosts=&consentId=0a07-98ca"
    "&interactionCount={count}&isAnonUser=1&landingPath={landing}&groups={groups}"
    "&AwaitingReconsent={awaiting}"
)
COOKIEYES = (
    "cookieyes-consent=consentid:Q29sbGVjdG9y,consent:{consent},action:{action},necessary:yes,"
    "functional:no,analytics:{analytics},performance:no,advertisement:no"
)
RAW_V2 = (
    'cc_cookie={"categories":["necessary","analytics"],"level":["necessary","analytics"],'
    '"revision":0,"data":null,"rfc_cookie":false,"consent_date":"2026-11-22T09:04:51.000Z"}'
)
V3 = (
    '{"categories":["necessary"%s],"revision":0,"data":null,"consentTimestamp":'
    '"2026-11-22T09:04:51.000Z","consentId":"1b7c","services":{"necessary":[]},'
    '"languageCode":"el","expirationTime":1826790291000}'
)


def onetrust(groups: str, count: str = "1", landing: str = "NotLandingPage") -> str:
    """Return an OptanonConsent cookie as a browser sends it."""
    return ONETRUST.format(count=count, landing=landing, groups=groups, awaiting="false")


GRANTED = [
    ("own", "statistics_consent=granted"),
    ("own", "statistics_consent=granted.2026-11-22.1"),
    ("cookiebot", COOKIEBOT.format(statistics="true", method=EXPLICIT)),
    ("cookiebot", COOKIEBOT.format(statistics="true", method="")),
    ("onetrust", onetrust("C0001%3A1%2CC0002%3A1%2CC0003%3A0")),
    ("onetrust", onetrust("C0004%3A0%2CC0002%3A1%2CC0001%3A1")),
    ("onetrust", "OptanonConsent=isGpcEnabled=0&datestamp=x&groups=C0001%3A1%2CC0002%3A1"),
    ("cookieyes", COOKIEYES.format(consent="yes", action="yes", analytics="yes")),
    ("cookieconsent", RAW_V2),
    ("cookieconsent", "cc_cookie=" + quote(V3 % ',"analytics"')),
    ("cookieconsent", 'cc_cookie={"level":["necessary","analytics"],"revision":0}'),
    ("klaro", "klaro=" + quote('{"collector":true,"video":false}')),
    ("complianz", "cmplz_banner-status=dismissed; cmplz_statistics=allow"),
    ("complianz", "cmplz_rt_banner-status=dismissed; cmplz_rt_statistics=allow"),
    ("wp-consent-api", "wp_consent_statistics=deny; wp_consent_statistics-anonymous=allow"),
    ("wp-consent-api", "wp_consent_statistics=allow"),
]
REFUSED = [
    ("own", "statistics_consent=refused"),
    ("own", "statistics_consent=refused.2026-11-22.12"),
    ("cookiebot", COOKIEBOT.format(statistics="false", method=EXPLICIT)),
    ("cookiebot", "CookieConsent=0"),
    ("onetrust", onetrust("C0001%3A1%2CC0002%3A0")),
    ("cookieyes", COOKIEYES.format(consent="no", action="yes", analytics="no")),
    ("cookieconsent", "cc_cookie=" + quote(V3 % "")),
    ("cookieconsent", 'cc_cookie={"categories":["necessary"],"revision":0}'),
    ("klaro", "klaro=" + quote('{"collector":false,"video":true}')),
    ("complianz", "cmplz_statistics=deny"),
    ("wp-consent-api", "wp_consent_statistics=allow; wp_consent_statistics-anonymous=deny"),
    ("wp-consent-api", "wp_consent_statistics=deny"),
]
UNDECIDED = [
    ("own", ""),
    ("own", "session=8f2b; theme=dark"),
    ("cookiebot", "CookieConsent=-1"),
    (
        "cookiebot",
        COOKIEBOT.format(statistics="true", method="%2Cmethod:%27implied%27"),
    ),
    ("cookiebot", "CookieConsent={stamp:%27-1%27%2Cnecessary:true%2Cstatistics:true}"),
    ("onetrust", onetrust("C0001%3A1%2CC0002%3A1", count="0")),
    ("onetrust", onetrust("C0001%3A1%2CC0002%3A0", count="0")),
    ("onetrust", onetrust("C0002%3A1", landing="https%3A%2F%2Fshop.example%2F")),
    ("onetrust", onetrust("C0002%3A1").replace("Reconsent=false", "Reconsent=true")),
    ("cookieyes", COOKIEYES.format(consent="no", action="", analytics="no")),
    ("cookieyes", COOKIEYES.format(consent="no", action="", analytics="yes")),
    ("cookieyes", COOKIEYES.format(consent="no", action="yes", analytics="yes")),
    ("cookieconsent", "theme=dark"),
    ("klaro", "klaro=" + quote('{"video":true}')),
    ("complianz", "cmplz_functional=allow; cmplz_marketing=allow"),
    ("wp-consent-api", "wp_consent_marketing=allow"),
]
DAMAGED = [
    ("own", "statistics_consent="),
    ("own", "statistics_consent=Granted"),
    ("own", 'statistics_consent="granted"'),
    ("own", "statistics_consent=granted."),
    ("own", "statistics_consent=granted.2026-11-22"),
    ("own", "statistics_consent=granted.2026-11-22.x"),
    ("own", "statistics_consent=granted.2026-99-99.1"),
    ("own", "statistics_consent=grantedrefused"),
    ("own", "statistics_consent=granted\xff"),
    ("cookiebot", COOKIEBOT.format(statistics="true", method=EXPLICIT)[:-1]),
    ("cookiebot", COOKIEBOT.format(statistics="%27true%27", method=EXPLICIT)),
    ("cookiebot", COOKIEBOT.format(statistics="true", method="%2Cstatistics:true")),
    ("cookiebot", "CookieConsent={stamp:%27x%27%2Cstatistics:true%2C}"),
    ("cookiebot", "CookieConsent=true"),
    ("onetrust", "OptanonConsent=C0002%3A1"),
    ("onetrust", onetrust("C0002")),
    ("onetrust", onetrust("C0002%3A2")),
    ("onetrust", onetrust("C0002%3A1", count="")),
    ("onetrust", onetrust("C0002%3A1", count="1x")),
    ("onetrust", onetrust("C0002%3A1%2CC0002%3A0")),
    ("onetrust", onetrust("")),
    ("cookieyes", "cookieyes-consent=consent:yes,action:yes,analytics"),
    ("cookieyes", "cookieyes-consent=action:yes,analytics:yes,analytics:no"),
    ("cookieyes", "cookieyes-consent=yes"),
    ("cookieconsent", RAW_V2[:-1]),
    ("cookieconsent", "cc_cookie=" + quote('["analytics"]')),
    ("cookieconsent", 'cc_cookie={"categories":"analytics"}'),
    ("cookieconsent", 'cc_cookie={"categories":["analytics",1]}'),
    ("cookieconsent", 'cc_cookie={"categories":["analytics"],"categories":[]}'),
    ("cookieconsent", "cc_cookie=" + "[" * 4000),
    ("klaro", "klaro=" + quote('{"collector":"true"}')),
    ("klaro", "klaro=%FF%FE"),
    ("complianz", "cmplz_statistics=yes"),
    ("wp-consent-api", "wp_consent_statistics-anonymous=1; wp_consent_statistics=allow"),
]
