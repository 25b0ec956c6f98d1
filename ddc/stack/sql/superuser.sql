-- Without a password the superuser signs in only on the server itself, where no password is needed:
--
--     docker compose exec postgres psql -U postgres
ALTER ROLE CURRENT_USER PASSWORD NULL;
