"""Two functions of the onboarding workflow: `flowpilot serve --dev --tasks examples/functions` makes them steps."""
import json
import urllib.error
import urllib.request
from typing import Optional, TypedDict

from flowpilot import Context, Retry, TaskFailure, task


class Contact(TypedDict):
    id: str
    email: str
    score: int


def post(ctx: Context, url: str, body: dict) -> dict:
    """The peer's answer. Every attempt sends the same key, so that the peer does it once."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": ctx.idempotency_key}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=ctx.remaining()) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        again = error.code in (408, 429) or error.code >= 500
        raise TaskFailure(f"{url} answered {error.code}", code=f"http.{error.code}", retryable=again) from error


@task(title="Add a CRM contact", icon="user-plus", retries=Retry(max_attempts=5, initial_delay_seconds=0.5), timeout=30)
def add_contact(ctx: Context, crm_url: str, email: str, name: Optional[str] = None) -> Contact:
    """Creates the contact of a new user in the CRM.

    Args:
        crm_url: Where the CRM is.
        email: Address of the user.
        name: What to call them.
    """
    contact = post(ctx, f"{crm_url}/contacts", {"email": email, "name": name, "source": "signup"})
    ctx.log.info("contact %s has score %s", contact["id"], contact["score"])
    return {"id": contact["id"], "email": contact["email"], "score": contact["score"]}


@task(title="Tell the team", icon="message", retries=3, timeout=10)
def tell_team(ctx: Context, slack_url: str, contact: Contact, vip_from: int = 80) -> dict:
    """Tells the team about a new user, and says so when it is a VIP.

    Args:
        slack_url: The webhook of the channel.
        contact: What add_contact gave.
        vip_from: Scores from here on are VIPs.
    """
    vip = contact["score"] > vip_from
    post(ctx, slack_url, {"text": f"{'VIP' if vip else 'User'} signed up: {contact['email']} (score {contact['score']})"})
    return {"vip": vip}
