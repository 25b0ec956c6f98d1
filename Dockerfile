FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ddc
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
RUN python -m ddc.translations compile
# The settings require these variables; they exist only during this step.
RUN random() { python -c "import secrets; print(secrets.token_urlsafe(48))"; } \
 && SECRET_KEY=$(random) DEBTOR_TOKEN_KEY=$(random) OTP_KEY=$(random) \
    DATABASE_URL=postgres://nowhere/ddc REDIS_URL=redis://nowhere \
    python manage.py collectstatic --noinput --verbosity 0 \
 && python -m compileall -q .
USER 10001
EXPOSE 8000
CMD ["python", "-m", "ddc.stack", "web", "--host", "0.0.0.0", "--workers", "3"]
