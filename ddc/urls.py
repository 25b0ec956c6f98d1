"""Every route, by app."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from ddc.common.admin.pages import options
from ddc.common.api import problems

handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.not_found
handler500 = problems.server_error

urlpatterns = [
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/autocomplete/", admin.site.admin_view(options)),
    path("admin/", admin.site.urls),
    path("", include("ddc.common.urls")),
    # The portal's /debtors/auth and /debtors/me come before /debtors/<id>.
    path("", include("portal.urls")),
    path("", include("agents.urls")),
    path("", include("debtors.urls")),
    path("", include("collection.urls")),
    path("", include("payments.urls")),
    path("", include("communications.urls")),
    path("", include("strategy.urls")),
]
