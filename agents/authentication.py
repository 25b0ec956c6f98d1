from rest_framework.authentication import BaseAuthentication


class StaffAuthentication(BaseAuthentication):
    pass
