"""A rule of every kind as a person writes it, and what its detector gets and the console shows."""

from __future__ import annotations

import numpy as np

from detectors.kinds.surprise import USUAL

_RESTART_LIMITS = {"at_0": 160, "at_1": 160, "at_2": 60} | {f"at_{at}": 0 for at in range(3, 32)}

CASES = [
    # kind, what is written, columns of its row, further points, said in English
    (
        "limit",
        'side = "high"\non_offset = 20\noff_offset = 18',
        {"on": 50, "off": 48, "side": 1},
        [],
        "at or above 50 ppm",
    ),
    (
        "deviation",
        'side = "either"\non_percent = 10\noff_percent = 8',
        {"on": 10, "off": 8, "side": 0, "relative": 1, "setpoint": 30, "fresh_s": np.inf},
        [],
        "10 % or more off its set-point 30 ppm",
    ),
    (
        "deviation",
        'side = "below"\non = 5\nsetpoint = "CO-2"',
        {"on": 5, "off": 5, "side": -1, "relative": 0, "setpoint": np.nan, "fresh_s": 30},
        ["CO-2"],
        "5 ppm or more below its set-point CO-2",
    ),
    (
        "rate",
        'side = "fall"\non = 6\nwindow_s = 60',
        {"on": 6, "off": 6, "side": -1, "window_s": 60},
        [],
        "6 ppm a minute",
    ),
    (
        "step",
        'side = "either"\non_span_percent = 20\nwindow_s = 60',
        {"on": 200, "off": 200, "side": 0, "window_s": 60},
        [],
        "by 200 ppm or more from one 1 min to the next",
    ),
    (
        "spike",
        "on = 8\noff = 6\nfloor = 0.5",
        {"on": 8, "off": 6, "floor": 0.5},
        [],
        "stands 8 times its usual scatter or more",
    ),
    (
        "count",
        "on = 3\nabove = 50\nwindow_s = 60\nedges = false",
        {"on": 3, "off": 3, "above": 50, "window_s": 60, "edges": 0},
        [],
        "reaches 50 ppm 3 times or more within 1 min",
    ),
    (
        "stuck",
        "on = 600\nband_percent = 1",
        {"on": 600, "off": 600, "band": 10, "nonzero": 0},
        [],
        "within 10 ppm for 10 min",
    ),
    (
        "pinned",
        'of_limit = "H"\nband = 0.5\nwindow_s = 600',
        {"on": 90, "off": 90, "at": 24, "band": 0.5, "window_s": 600},
        [],
        "at least 90 % of the readings of 10 min lie within 24 ± 0.5 ppm",
    ),
    (
        "pinned",
        "at = 50\nband = 1\nwindow_s = 60\non = 80\noff = 50",
        {"on": 80, "off": 50, "at": 50, "band": 1, "window_s": 60},
        [],
        "within 50 ± 1 ppm",
    ),
    ("noise", "on = 10\noff = 5\nwindow_s = 60", {"on": 10, "off": 5, "window_s": 60}, [], "1/10 of the usual"),
    ("range", "", {"on": np.nextafter(1, 2), "off": 1, "low": 0, "high": 1000}, [], "outside the instrument's range"),
    (
        "current",
        "",
        {"on": 9, "off": 9, "low": 0, "high": 1000},
        [],
        "at most 3 or at least 21 mA (-62.5 / 1062.5 ppm)",
    ),
    ("bad", "", {"on": 1, "off": 1}, [], "no value"),
    ("silence", "", {"on": 30, "off": 30}, [], "no reading for 30 s"),
    (
        "forecast",
        'of_limit = "H"\nwindow_s = 900\nlead_s = 600',
        {"on": -600, "off": -1200, "limit": 24, "side": 1, "window_s": 900, "lead_s": 600},
        [],
        "by its trend over 15 min, the value reaches its high limit 24 ppm within 10 min",
    ),
    (
        "forecast",
        'limit = 2\nside = "low"\nwindow_s = 60\nlead_s = 90',
        {"on": -90, "off": -180, "limit": 2, "side": -1, "window_s": 60, "lead_s": 90},
        [],
        "reaches 2 ppm within 90 s",
    ),
    (
        "neighbour",
        "on = 5\noff = 4\nfloor = 2",
        {"on": 5, "off": 4, "floor": 2, "fresh_s": 30},
        ["CO-2", "CO-3"],
        "the median of CO-2, CO-3 differ by a factor of 5 or more (less than 2 ppm counts as 2 ppm)",
    ),
    (
        "votes",
        'peers = "plant"\non = 2\nat = 24\nfresh_s = 9',
        {"on": 2, "off": 2, "level": 24, "bad_votes": 1, "fresh_s": 9},
        ["CO-2", "CO-3"],
        (
            "2 or more of 3 (CO-2, CO-3 and this one), bad ones counted, are at 24 ppm or above;"
            " as channels go bad the voting is 2oo3→1oo2→trip"
        ),
    ),
    (
        "first_out",
        'peers = ["CO-2"]\nat = 24',
        {"on": 1, "off": 0, "level": 24},
        ["CO-2"],
        "this point or CO-2 is at 24 ppm",
    ),
    (
        "restart",
        'after = { STL_CO = 160, T = 60 }\ninspected = "STL_PERSON_GATHER"\nhold_s = 3600',
        {"on": 1, "off": 0, "level": 0.5, "hold_s": 3600, "single": 0, "times": 3, "within_s": 60, "stop_s": 300}
        | _RESTART_LIMITS,
        ["CO-2", "CO-3", "T"],
        "started again within 1 h of a trip of CO-2, CO-3, T without a signed inspection",
    ),
    (
        "restart",
        'after = { STL_CO = 160, T = 60 }\nsingle = ["STL_CO"]\ntimes = 4\nwithin_s = 90\nstop_s = 120\nhold_s = 60',
        {"on": 1, "off": 0, "level": 0.5, "hold_s": 60, "single": 3, "times": 4, "within_s": 90, "stop_s": 120}
        | _RESTART_LIMITS,
        ["CO-2", "CO-3", "T"],
        "; fewer than 4 of CO-2, CO-3 within 90 s are none, unless it stopped within 2 min of one",
    ),
    (
        "ewma",
        "on = 4\ntrain = 600\nweight = 0.1",
        {"on": 4, "off": 4, "train": 600, "weight": 0.1, "floor": 1},
        [],
        "learnt from 600 readings",
    ),
    (
        "cusum",
        "on = 8\nfloor = 0.2",
        {"on": 8, "off": 8, "train": 1800, "slack": 0.5, "floor": 0.2},
        [],
        "adds up to 8",
    ),
    (
        "page_hinkley",
        "on = 50\ndelta = 0.5",
        {"on": 50, "off": 50, "delta": 0.5, "alpha": 0.9999, "least": 300},
        [],
        "beyond 0.5 ppm add up to 50",
    ),
    ("zscore", "on = 6", {"on": 6, "off": 6, "least": 300, "floor": 1}, [], "6 standard deviations"),
    (
        "robust_z",
        "on = 6\nwindow_s = 600",
        {"on": 6, "off": 6, "window_s": 600, "floor": 1},
        [],
        "the median of 10 min",
    ),
    (
        "profile",
        "on = 5\nperiod_s = 86400\noffset_s = 3600",
        {"on": 5, "off": 5, "period_s": 86400, "offset_s": 3600, "least": 7, "floor": 1},
        [],
        "at this time of a period of 1 d",
    ),
    (
        "phase",
        'phase = "STL_CW_OUT_T"\nlow = 0\nhigh = 60\non = 5',
        {"on": 5, "off": 5, "low": 0, "high": 60, "least": 5, "floor": 1, "fresh_s": 30},
        ["T"],
        "at this stage of T",
    ),
    (
        "surprise",
        "",
        {"on": 0.5, "off": 0.5, **USUAL, "offset_s": 28_800},
        [],
        "as at most one reading in 400 does: name",
    ),
    (
        "surprise",
        "on = 0.6\noff = 0.2\none_in = 100\nhold = 60\noffset_s = 0",
        {"on": 0.6, "off": 0.2, **USUAL, "one_in": 100, "hold": 60},
        [],
        "one reading in 1000 does",
    ),
    (
        "t2",
        'peers = "equipment"\nshare = 95',
        {"on": 1, "off": 1, "train": 3600, "share": 0.95, "quantile": 0.99, "smoothing": 1, "fresh_s": 30},
        ["CO-2", "CO-3", "T"],
        "together with CO-2, CO-3, T, the distance from normal running (T²) is 1 times its normal limit",
    ),
    (
        "spe",
        'peers = ["T"]\nsmoothing = 0.2\nquantile = 95\noff = 0.5',
        {"on": 1, "off": 0.5, "train": 3600, "share": 0.9, "quantile": 0.95, "smoothing": 0.2, "fresh_s": 30},
        ["T"],
        "(SPE)",
    ),
    (
        "mahalanobis",
        'peers = ["T"]\ntrain = 60\nshrink = 20',
        {
            "on": 1,
            "off": 0.7,
            "train": 60,
            "smoothing": 0.1,
            "ridge": 0.01,
            "adaptation": 0.002,
            "clip": 10,
            "limit": 0,
        }
        | {"quantile": 0.99, "release": 0.7, "culprit": 0.2, "shrink": 0.2, "fresh_s": 30, "gap_s": 60},
        ["T"],
        "Mahalanobis",
    ),
]
