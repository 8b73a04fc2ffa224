"""A client of `toadr3`, which knows OpenADR 3.0.1 alone, as a program of its own: python toadr3_peer.py BASE BL_SECRET VEN_SECRET."""

from __future__ import annotations

import asyncio
import sys

import toadr3
from toadr3.models import Report, Subscription


async def _judge(base: str, bl_secret: str, ven_secret: str) -> None:
    def login(client: str, secret: str) -> toadr3.OAuthConfig:
        return toadr3.OAuthScopeConfig(f"{base}/auth/token", "client_credentials", "read_all", client, secret)

    url = f"{base}/openadr3/3.0.1"
    desk, node = toadr3.ToadrClient(url, login("bl", bl_secret)), toadr3.ToadrClient(url, login("ven", ven_secret))
    try:
        programs = await node.get_programs(skip=0, limit=10)
        assert "dynamic-tariff" in [one.id for one in programs]
        prices = await node.get_events(program_id="dynamic-tariff")
        assert prices and prices[0].object_type == "EVENT" and prices[0].intervals[0].payloads[0].type == "PRICE"
        signals = await desk.get_events(target_type="GROUP", target_values=["VEHICLES"])
        assert all(one.targets and one.targets[0].values == ["VEHICLES"] for one in signals)
        resource = {"resourceName": "meter", "intervals": [{"id": 0, "payloads": [{"type": "USAGE", "values": [0.5]}]}]}
        made = {"programID": "dynamic-tariff", "eventID": prices[0].id, "clientName": "ven", "resources": [resource]}
        report = await node.post_report(Report.model_validate(made))
        assert report.object_type == "REPORT" and report.created_date_time is not None
        operation = {"objects": ["EVENT"], "operations": ["POST"], "callbackUrl": "http://127.0.0.1:9/"}
        asked = {"clientName": "ven", "programID": "dynamic-tariff", "objectOperations": [operation]}
        subscription = await node.post_subscription(Subscription.model_validate(asked))
        assert [one.id for one in await node.get_subscriptions()] == [subscription.id]
        status = 0
        try:
            await node.delete_program("dynamic-tariff")
        except toadr3.ToadrError as refused:
            status = refused.status_code
        assert status == 403, "an end node may not write programs"
    finally:
        await desk.close()
        await node.close()


if __name__ == "__main__":
    asyncio.run(_judge(*sys.argv[1:4]))
    print("judged")
