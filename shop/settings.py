"""All settings, each from the environment with a default that is safe.

Development is `DJANGO_DEBUG=1` (what `make run` sets); anything else is production, where insecure
values are refused at start.
"""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from shop import api_settings, broker, csp, databases, languages, logs, schedule, store

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def networks(texts: list[str], *, of: str) -> list[IPv4Network | IPv6Network]:
    """Read addresses and networks such as 10.0.0.0/8; `of` is the setting named in the error."""
    try:
        return [ip_network(text.strip(), strict=False) for text in texts]
    except ValueError as error:
        sentence = f"Set {of} to addresses or networks, separated by commas: {error}."
        raise ImproperlyConfigured(sentence) from error


DEBUG = env.bool("DJANGO_DEBUG", default=False)
TESTING = env.bool("DJANGO_TESTING", default=False)
if TESTING and not DEBUG:
    raise ImproperlyConfigured("DJANGO_TESTING weakens passwords: never set it in production.")
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()
PORT = env.int("PORT", default=8000)
DEVELOPMENT_KEY = "development-only-key-never-used-in-production-0123456789"
SECRET_KEY = env.str("SECRET_KEY", default=DEVELOPMENT_KEY if DEBUG else "")
if not SECRET_KEY or (not DEBUG and (SECRET_KEY == DEVELOPMENT_KEY or len(SECRET_KEY) < 50)):
    raise ImproperlyConfigured("Set SECRET_KEY to a random text of at least 50 characters.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if DEBUG else [])
if not DEBUG and (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS):
    raise ImproperlyConfigured("Set ALLOWED_HOSTS to the shop's own host names, separated by commas.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.sites",
    "django.contrib.postgres",
    "django.contrib.sitemaps",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "captcha",
    "csp",
    "payments",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "shop",
    "shop.catalogue",
    "shop.orders",
    "accounts",
    "flashsale",
]

MIDDLEWARE = [
    "shop.metrics.timed",
    "shop.replicas.remember_writes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "shop.public.private_page",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "shop.csp.admin_policy",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "shop.urls"
TEST_RUNNER = "shop.runner.PytestRunner"
WSGI_APPLICATION = "shop.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shop.context.shop",
            ]
        },
    }
]

# Stores. The environment names them; without it, those of the running `make run` are found by DATA_DIR.
_stores = {}
if not env.str("DATABASE_URL", default=""):
    from shop.up.state import running_environment

    _stores = running_environment(DATA_DIR)
DATABASE_URL = env.str(
    "DATABASE_URL", default=_stores.get("DATABASE_URL", "postgres://shop@127.0.0.1:5432/shop")
)
REDIS_URL = env.str("REDIS_URL", default=_stores.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
CACHE_URL = env.str("CACHE_URL", default=_stores.get("CACHE_URL", "redis://127.0.0.1:6379/2"))
try:
    _memory = store.read(REDIS_URL)
except ValueError as error:
    raise ImproperlyConfigured(f"Set REDIS_URL to an address of the sale's memory: {error}.") from error
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=_stores.get("CELERY_BROKER_URL", ""))
if not CELERY_BROKER_URL:
    if _memory.kind:
        raise ImproperlyConfigured("Set CELERY_BROKER_URL too: Celery's broker is one server, or RabbitMQ.")
    CELERY_BROKER_URL = broker.beside(REDIS_URL)
CELERY_BROKER_URL = broker.verified(CELERY_BROKER_URL)

_kept = env.int("CONN_MAX_AGE", default=0 if DEBUG else 60)
_pooled = env.bool("PGBOUNCER", default=False)
DATABASES = {"default": databases.describe(DATABASE_URL, connect_timeout=3, keep=_kept, pooled=_pooled)}
REPLICA_MAX_LAG = env.float("REPLICA_MAX_LAG", default=10.0)
if _replica := env.str("DATABASE_REPLICA_URL", default=""):
    DATABASES["replica"] = databases.describe(_replica, connect_timeout=1, keep=_kept, pooled=_pooled)
    DATABASE_ROUTERS = ["shop.replicas.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "shop",
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "IGNORE_EXCEPTIONS": True,
            "CONNECTION_POOL_KWARGS": store.TIMEOUTS,
        },
    },
    "sale": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": [REDIS_URL],  # one address; it may have commas of its own
        "OPTIONS": {"CLIENT_CLASS": "shop.store.Client"},
    },
}
# What is the same for everybody, in the memory of each process: parts of pages, and rows for a second.
CACHES["process"] = {
    "BACKEND": "django.core.cache.backends.dummy.DummyCache" if DEBUG else "shop.kept.KeptCache",
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "sessionid" if DEBUG else "__Host-sessionid"
CSRF_COOKIE_NAME = "csrftoken" if DEBUG else "__Host-csrftoken"

CELERY_BROKER_TRANSPORT_OPTIONS = broker.options(CELERY_BROKER_URL)
CELERY_BROKER_NATIVE_DELAYED_DELIVERY_QUEUE_TYPE = "classic"  # declared with quorum queues, never used
CELERY_TASK_QUEUES = broker.queues(CELERY_BROKER_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: after 2, 4, up to 30 s
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY = broker.is_rabbit(CELERY_BROKER_URL)
CELERY_TASK_PUBLISH_RETRY_POLICY = broker.RETRY
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ROUTES = broker.ROUTES
CELERY_BEAT_SCHEDULE = schedule.BEAT
CELERY_BEAT_SCHEDULER = "shop.beat:Scheduler"

# Accounts
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = env.str(
    "ACCOUNT_EMAIL_VERIFICATION", default="optional" if DEBUG else "mandatory"
)
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True  # a login never ends inside a hold
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.entrance.LoginForm",
    "signup": "accounts.entrance.SignupForm",
    "reset_password": "accounts.entrance.ResetPasswordForm",
    "reset_password_from_key": "accounts.entrance.ResetPasswordKeyForm",
    "add_email": "accounts.entrance.AddEmailForm",
    "change_password": "accounts.entrance.ChangePasswordForm",
    "reauthenticate": "accounts.entrance.ReauthenticateForm",
}
# The library's own limits refuse everybody while the cache is away; those of accounts/limits.py do not.
ACCOUNT_RATE_LIMITS = False
# A second step after the password, for whoever sets it up; the admin may ask for it of all its staff.
MFA_ADAPTER = "accounts.second_step.Adapter"
# Secrets of the second step: the first key seals them in the rows, all of them open them.
SEALING_KEYS = env.list("SEALING_KEYS", default=[SECRET_KEY])
MFA_FORMS = {
    "authenticate": "accounts.entrance.CodeForm",
    "reauthenticate": "accounts.entrance.CodeAgainForm",
    "activate_totp": "accounts.entrance.FirstCodeForm",
}
STAFF_SECOND_STEP = env.bool("STAFF_SECOND_STEP", default=False)
SITE_ID = 1
# The door of the admin: kept in rows, it locks even while the cache, and with it the limiter, is away; by
# account and address together, so that a stranger's guesses lock out nobody but himself.
AXES_HANDLER = "accounts.admin_door.Door"
AXES_ONLY_ADMIN_SITE = True
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "accounts.limits.client_address"
AXES_LOCKOUT_CALLABLE = "accounts.admin_door.locked"
AXES_USERNAME_CALLABLE = "accounts.admin_door.account"
AXES_USERNAME_FORM_FIELD = "username"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # `manage.py axes_reset` unlocks
AXES_VERBOSE = False

# Mail
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="smtp://localhost:25")
DJANGOS, OURS = "django.core.mail.backends.smtp.EmailBackend", "shop.smtp.EmailBackend"  # with a clock
EMAIL_CONFIG["EMAIL_BACKEND"] = EMAIL_CONFIG["EMAIL_BACKEND"].replace(DJANGOS, OURS)
vars().update(EMAIL_CONFIG)
if DEBUG and "EMAIL_URL" not in env.ENVIRON:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_TIMEOUT = 10
MAIL_SENDERS = env.int("MAIL_SENDERS", default=1)  # threads of one worker that send at the same time
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Field & Flame <shop@example.com>")

# Payment
PAYMENT_MODEL = "orders.Payment"
PAYMENT_HOST = env.str("PAYMENT_HOST", default=f"127.0.0.1:{PORT}" if DEBUG else "localhost")
PAYMENT_USES_SSL = env.bool("PAYMENT_USES_SSL", default=not DEBUG)
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
PAYMENT_VARIANTS = {}
if STRIPE_SECRET_KEY:
    if not STRIPE_WEBHOOK_SECRET:
        raise ImproperlyConfigured("Set STRIPE_WEBHOOK_SECRET too: unsigned webhooks are never believed.")
    PAYMENT_VARIANTS["stripe"] = (
        "shop.orders.providers.StripeProvider",
        {"api_key": STRIPE_SECRET_KEY, "endpoint_secret": STRIPE_WEBHOOK_SECRET},
    )
if env.bool("PAYMENT_DUMMY", default=DEBUG):
    PAYMENT_VARIANTS["dummy"] = ("payments.dummy.DummyProvider", {})
if not PAYMENT_VARIANTS:
    raise ImproperlyConfigured(
        "Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET, or PAYMENT_DUMMY=1 to take no real money."
    )
PAYMENT_DEFAULT = next(iter(PAYMENT_VARIANTS))

# Captcha
CAPTCHA_TEST_MODE = env.bool("CAPTCHA_TEST_MODE", default=False)
if CAPTCHA_TEST_MODE and not DEBUG:
    raise ImproperlyConfigured("CAPTCHA_TEST_MODE lets anybody through: never set it in production.")
CAPTCHA_TIMEOUT = 1440  # minutes: nobody is hurried; one challenge is one try all the same
CAPTCHA_POOL = env.int("CAPTCHA_POOL", default=500)  # drawn ahead and kept in the cache, some 10 kB each
CAPTCHA_FONT_SIZE = 34
CAPTCHA_LETTER_ROTATION = (-18, 18)

# Behind a proxy: the header that carries the client's address, believed only from the proxies listed here.
CLIENT_ADDRESS_HEADER = env.str("CLIENT_ADDRESS_HEADER", default="")
TRUSTED_PROXIES = networks(env.list("TRUSTED_PROXIES", default=[]), of="TRUSTED_PROXIES")
if CLIENT_ADDRESS_HEADER and not TRUSTED_PROXIES:
    raise ImproperlyConfigured("Set TRUSTED_PROXIES too: CLIENT_ADDRESS_HEADER is believed only from there.")
METRICS_ALLOWED = networks(
    env.list("METRICS_ALLOWED", default=["127.0.0.0/8", "::1/128"]), of="METRICS_ALLOWED"
)
RATELIMIT_IP_META_KEY = "accounts.limits.client_address"
RATELIMIT_USE_CACHE = "default"
RATELIMIT_FAIL_OPEN = True

# Passes: the first key signs, all of them verify, so that a key can be rotated in mid-sale. The region is
# part of every key: a pass of another region, or of a rehearsal, is a forged one here, even with shared keys.
REGION = env.str("REGION", default="")
PASS_KEYS = [f"{REGION}:{key}" if REGION else key for key in env.list("PASS_KEYS", default=[SECRET_KEY])]
PASS_COOKIE = "pass" if DEBUG else "__Secure-pass"
WATCH_COOKIE = "watch" if DEBUG else "__Secure-watch"
RECEIPT_COOKIE = "receipt" if DEBUG else "__Secure-receipt"
ENTERED_COOKIE = "entered" if DEBUG else "__Secure-entered"
ATTEMPTS_PER_MINUTE = env.int("ATTEMPTS_PER_MINUTE", default=100)
GATE_BATCH_SIZE = env.int("GATE_BATCH_SIZE", default=512)
GATE_MAX_IN_FLIGHT = env.int("GATE_MAX_IN_FLIGHT", default=20_000)
LIVE_MAX_CONNECTIONS = env.int("LIVE_MAX_CONNECTIONS", default=18_000)
GATE_ATTEMPT_TIMEOUT = env.float("GATE_ATTEMPT_TIMEOUT", default=3.0)
ORDER_BATCH_SIZE = env.int("ORDER_BATCH_SIZE", default=1000)
DRAIN_SLOTS = env.int("DRAIN_SLOTS", default=2)
# Longer than a batch may take: what a slow worker still works on must not be taken from it.
STREAM_CLAIM_AFTER_MS = env.int("STREAM_CLAIM_AFTER_MS", default=15_000)
REQUIRE_DURABLE_STORE = env.bool("REQUIRE_DURABLE_STORE", default=True)
STORE_REPLICAS = env.int("STORE_REPLICAS", default=0)
ORDERS_PER_SECOND = env.int("ORDERS_PER_SECOND", default=0)
# Where the workers reach a gate when a sale is rehearsed from the admin: plain HTTP, inside.
REHEARSAL_GATE = env.str("REHEARSAL_GATE", default=f"http://127.0.0.1:{PORT}")

# The key of the edge: its nodes report to web with it (docs/edge.md). Without one nobody may.
EDGE_KEY = env.str("EDGE_KEY", default="")
EDGE_SHEDDING = env.bool("EDGE_SHEDDING", default=False)  # the nodes do it; here the admin says what it means

# Regions: units of the shop with stores of their own. The others, and one secret that all of them share.
UNITS = env.dict("UNITS", default={})
UNIT_TOKEN = env.str("UNIT_TOKEN", default="")
if UNITS and not (REGION and len(UNIT_TOKEN) >= 32):
    raise ImproperlyConfigured("Set REGION, and UNIT_TOKEN to a random text of at least 32 characters, too.")
if not all(url.startswith(("https://", "http://")) for url in UNITS.values()):
    raise ImproperlyConfigured("Set UNITS to regions and their addresses: eu=https://eu.example.com,us=…")

# The shop
SHOP_NAME = env.str("SHOP_NAME", default="Field & Flame")
SHOP_CURRENCY = env.str("SHOP_CURRENCY", default="USD")
SUBMISSION_TOKEN_SECONDS = 300
ORDER_PAY_WITHIN = env.int("ORDER_PAY_WITHIN", default=1800)
DELIVERY_PRICE = env.int("DELIVERY_PRICE", default=490)
# Working days from the payment to the first and to the last day on which a parcel should arrive.
DELIVERY_DAYS = [int(days) for days in env.list("DELIVERY_DAYS", default=["2", "4"])]
# Links in mails begin with it.
SHOP_URL = env.str("SHOP_URL", default=f"http://127.0.0.1:{PORT}" if DEBUG else f"https://{ALLOWED_HOSTS[0]}")

LANGUAGE_CODE = "en"
LANGUAGES = languages.named()
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not DEBUG
LOCALE_PATHS = [languages.FOLDER]
FORMAT_MODULE_PATH = "shop.formats"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True

# One setting for a CDN: https://cdn.example.com/static/, which asks the edge for /static/.
STATIC_URL = env.str("STATIC_URL", default="/static/")
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
_as_they_are = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _as_they_are if TESTING else "shop.squeezed.SqueezedStaticFiles"},
}

# Security
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {"DIRECTIVES": csp.pages(STATIC_URL)}

REST_FRAMEWORK = api_settings.FRAMEWORK
SPECTACULAR_SETTINGS = api_settings.DOCUMENT
UNFOLD = {
    "SITE_TITLE": SHOP_NAME,
    "SITE_HEADER": SHOP_NAME,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{STATIC_URL}icons/shop.svg"}],
    "STYLES": [f"{STATIC_URL}css/admin.css", f"{STATIC_URL}css/cockpit.css"],
}

LOGGING = logs.describe(
    form=env.str("LOG_FORMAT", default="plain" if DEBUG else "json"),
    level=env.str("LOG_LEVEL", default="INFO"),
)
