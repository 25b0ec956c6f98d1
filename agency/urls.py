from django.urls import path

from agency import views

urlpatterns = [
    path("agency/colours/<str:code>.css", views.colours, name="agency-colours"),
    path("agency/logo/<str:digest>.png", views.logo, name="agency-logo"),
]
