"""Cron and daylight saving against an oracle of another kind: every quarter of an hour of five years in twelve zones, one after the other, as Python's
zoneinfo shows it on a wall clock. It shares neither code nor method with server/triggers/schedule. Needs SCHEDULE_FIRES."""
import calendar
import datetime
import json
import os
import re
import subprocess
import unittest
import zoneinfo

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "America/Nuuk", "Asia/Kathmandu", "Asia/Tehran",
         "America/Santiago", "Pacific/Chatham"]
FIRST, LAST = 2021, 2025
CRONS = ["0 0 * * *", "30 2 * * *", "15,45 1,2,3 * * *", "0 6 * * 1-5", "*/15 * * * *", "0 */6 * * *", "59 23 31 12 *", "0 0 1 * *", "0 12 L * *", "30 1 L-2 * *", "0 9 15W * *", "0 9 LW * *",
         "0 9 1W 1,5,8 *", "45 2 * 3,10 SUN", "30 2 * 3,4,9,10,11 0,7", "0 3 * * 5L", "0 3 * * MON#1", "0 8 ? * TUE#5", "5 0 29 2 *", "0 0 13 * 5", "0 0 */2 * 1", "10 4 1-7 * *", "0 22 * * fri-mon",
         "20 3 8-14 3 0", "0 2 * * *", "0 3 * * *", "59 1 * * *", "0 1 * * 6,7", "30 0 * * *", "0,30 0-4 * * *", "0 0 * 2 *", "7 7 7 7 *", "0 0 30 1-12/2 *", "0 23 31 * *", "15 2 25 10 *",
         "40 2 28 3 *", "0 0 * * SUN,WED", "12 2-3 * * *", "0 5 1,15 * 3", "50 23 * * MON-SUN"]
NAMES = {**{name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}, **{name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}}


def number(text: str) -> int:
    return NAMES[text.lower()] if text.lower() in NAMES else int(text)


def values(field: str, least: int, most: int) -> set:
    out = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        low, dash, high = span.partition("-")
        if span in ("*", "?"):
            numbers = list(range(least, most + 1))
        elif not dash:
            numbers = list(range(number(low), (most if step else number(low)) + 1))
        elif number(low) <= number(high):
            numbers = list(range(number(low), number(high) + 1))
        else:
            numbers = [*range(number(low), 7), *range(0, number(high) + 1)]
        out.update(numbers[::int(step or 1)])
    return out


def fits_month_day(item: str, day: datetime.date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if re.fullmatch(r"L(-\d+)?", item):
        return day.day == last - int(item[2:] or 0)
    if item.endswith("W"):
        wanted = day.replace(day=last if item == "LW" else int(item[:-1]))
        # The nearest day from Monday to Friday in the same month: the fewest days away.
        near = min((other for other in (wanted + datetime.timedelta(n) for n in range(-2, 3)) if other.month == wanted.month and other.weekday() < 5), key=lambda other: abs(other - wanted))
        return day == near
    return day.day in values(item, 1, 31)


def fits_weekday(item: str, day: datetime.date) -> bool:
    weekday = day.isoweekday() % 7
    if "#" in item:
        wanted, nth = item.split("#")
        return weekday == number(wanted) % 7 and (day.day + 6) // 7 == int(nth)
    if item.endswith("L"):
        return weekday == number(item[:-1]) % 7 and (day + datetime.timedelta(7)).month != day.month
    return weekday in {value % 7 for value in values(item, 0, 7)}


def fits_day(cron: str, day: datetime.date) -> bool:
    _, _, days, months, weekdays = cron.split()
    if day.month not in values(months, 1, 12):
        return False
    by_day = any(fits_month_day(item, day) for item in days.split(","))
    by_weekday = any(fits_weekday(item, day) for item in weekdays.split(","))
    return by_day and by_weekday if days[0] in "*?" or weekdays[0] in "*?" else by_day or by_weekday


EPOCH = datetime.date(1970, 1, 1)
STEP = 900  # no clock of these years is set by anything else


class Zone:
    """What clocks show there: the wall clock (seconds as if it were UTC) at each quarter of an hour of real time."""

    def __init__(self, name: str) -> None:
        self.info = zoneinfo.ZoneInfo(name)
        self.begin = int(datetime.datetime(FIRST, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
        self.end = int(datetime.datetime(LAST + 1, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
        self.real = range(self.begin - 86400, self.end, STEP)
        self.wall = [at + int(datetime.datetime.fromtimestamp(at, self.info).utcoffset().total_seconds()) for at in self.real]
        # Where the wall clock did not go on by a quarter of an hour.
        self.changes = [index for index in range(1, len(self.wall)) if self.wall[index] - self.wall[index - 1] != STEP]


def times_of(cron: str) -> list:
    minutes, hours = values(cron.split()[0], 0, 59), values(cron.split()[1], 0, 23)
    return sorted(hour * 3600 + minute * 60 for hour in hours for minute in minutes)


def fires(cron: str, zone: Zone, missing: str, repeated: str, fitting: list) -> list:
    hourly = len(values(cron.split()[1], 0, 23)) == 24
    times = times_of(cron)
    by_start: dict[int, list] = {}
    for time in times:
        by_start.setdefault(time // STEP * STEP, []).append(time % STEP)
    instants: dict[int, list] = {}  # by what the wall clock shows
    for at, wall in zip(zone.real, zone.wall):
        day, second = divmod(wall, 86400)
        if not fitting[day - DAY0]:
            continue
        for rest in by_start.get(second, ()):
            instants.setdefault(wall + rest, []).append(at + rest)
    out = set()
    for found in instants.values():
        out.update(found if hourly or repeated == "both" else [min(found)] if repeated == "first" else [max(found)])
    if missing == "shift" and not hourly:
        for index in zone.changes:
            gap = range(zone.wall[index - 1] + STEP, zone.wall[index])
            left_out = [day * 86400 + time for day in range(gap.start // 86400, gap.stop // 86400 + 1) if gap and fitting[day - DAY0] for time in times]
            if any(one in gap for one in left_out):
                out.add(zone.real[index])
    return sorted(at for at in out if zone.begin <= at < zone.end)


DAY0 = (datetime.date(FIRST - 1, 12, 1) - EPOCH).days
DAYS = [datetime.date(FIRST - 1, 12, 1) + datetime.timedelta(n) for n in range((LAST - FIRST + 2) * 366)]


class OracleTest(unittest.TestCase):
    def test_five_years_in_twelve_zones(self) -> None:
        fitting = {cron: [fits_day(cron, day) for day in DAYS] for cron in CRONS}
        orders, wanted = [], []
        for zone_index, name in enumerate(ZONES):
            zone = Zone(name)
            for cron_index, cron in enumerate(CRONS):
                missing = ("shift", "skip")[(zone_index + cron_index) % 2]
                repeated = ("first", "last", "both")[(zone_index + cron_index) % 3]
                orders.append({"config": {"cron": cron, "timezone": name, "missing_hour": missing, "repeated_hour": repeated}, "from": zone.begin, "to": zone.end})
                wanted.append(fires(cron, zone, missing, repeated, fitting[cron]))
        answer = subprocess.run([os.environ["SCHEDULE_FIRES"]], input="\n".join(json.dumps(order) for order in orders), capture_output=True, text=True, timeout=300, check=True)
        got = [[int(word) for word in line.split()] for line in answer.stdout.splitlines()]
        wrong = []
        for order, ours, theirs in zip(orders, got, wanted, strict=True):
            if ours != theirs:
                both = sorted(set(ours) ^ set(theirs))
                wrong.append((order["config"], [(datetime.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(order["config"]["timezone"])).isoformat(), "product" if at in set(ours) else "oracle") for at in both[:3]]))
        self.assertEqual(wrong, [], f"{len(wrong)} of {len(orders)} differ")
        self.assertGreater(sum(map(len, got)), 1_000_000)


if __name__ == "__main__":
    unittest.main()
