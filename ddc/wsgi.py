"""The web server's entry point."""

import os

from django.core.wsgi import get_wsgi_application

from ddc.common.process import web_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ddc.settings")
web_process.prepare()
application = get_wsgi_application()
web_process.warm_up()
