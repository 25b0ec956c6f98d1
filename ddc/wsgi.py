"""The web server's entry."""

import os

from django.core.wsgi import get_wsgi_application

from ddc.common import web_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ddc.settings")
web_process.prepare()
django = get_wsgi_application()
from ddc.common.express import Express  # noqa: E402 - models have to be there

application = Express(django)
web_process.warm_up()
