"""Every figure by name: the attack that it belongs to, what it says, and what the attacker is assumed to know."""

from __future__ import annotations

from typing import NamedTuple

from avatars.evaluation.wording import said

_MEMBERSHIP, _LINKAGE, _INFERENCE = said("membership"), said("linkage"), said("inference")
_SINGLING_OUT, _COPIES, _DISTANCES = said("singling out"), said("copies"), said("distances")
_HOLDS_A_RECORD = said(
    "holds the release and the whole record of somebody, and asks whether that person is in the table"
)
_HOLDS_PEOPLE = said(
    "holds the release and the whole record of somebody, and asks whether that person is in the table, with other such "
    "people at hand"
)
_REHEARSES = said(
    "holds the release and the whole record of somebody, and asks whether that person is in the table, with such "
    "people, the software and its parameters at hand"
)
_HOLDS_ALL_BUT_ONE = said("holds the release and all but one column of somebody, and wants that one")
_LOOKS_FOR_ONE = said("holds the release and looks for statements that are true of one person alone")
_TAKES_ROWS = said("holds the release and takes its rows for records")
_UTILITY, _NOBODY = said("utility"), said("nobody's figure: what is left of the statistics")


class Definition(NamedTuple):
    """What a figure is."""

    attack: str
    says: str
    attacker: str


FIGURES = {
    "nearest_auc": Definition(
        _MEMBERSHIP,
        said("how well the distance to the nearest avatar tells members from others; 0.5 is chance"),
        _HOLDS_A_RECORD,
    ),
    "nearest_tpr": Definition(
        _MEMBERSHIP,
        said("share of the members found by the nearest avatar while 1 % of the others are taken for members"),
        _HOLDS_A_RECORD,
    ),
    "nearest_tpr5": Definition(
        _MEMBERSHIP,
        said("share of the members found by the nearest avatar while 5 % of the others are taken for members"),
        _HOLDS_A_RECORD,
    ),
    "density_auc": Definition(
        _MEMBERSHIP,
        said("how well members are told from others by how much nearer an avatar is than people are to each other"),
        _HOLDS_PEOPLE,
    ),
    "isolated_auc": Definition(
        _MEMBERSHIP,
        said("how well the nearest avatar tells members from others among the tenth with the fewest people like them"),
        _HOLDS_A_RECORD,
    ),
    "shadow_auc": Definition(
        _MEMBERSHIP,
        said("how well members are told by one who rehearsed on releases with and without each person; 0.5 is chance"),
        _REHEARSES,
    ),
    "shadow_tpr": Definition(
        _MEMBERSHIP,
        said("share of the members found by rehearsing while 1 % of the others are taken for members"),
        _REHEARSES,
    ),
    "linkage_nearest": Definition(
        _LINKAGE,
        said("share of avatars whose nearest record is the one they were made from"),
        said("holds the release and all records, and asks which belongs to which"),
    ),
    "linkage_regenerated": Definition(
        _LINKAGE,
        said("share of avatars assigned to the right record by making everybody's avatar again many times"),
        said("holds the release, all records, the software and its parameters, and asks which belongs to which"),
    ),
    "inference_mean": Definition(
        _INFERENCE,
        said(
            "how much oftener the nearest avatar tells a column of a member than of somebody else, mean of the columns"
        ),
        _HOLDS_ALL_BUT_ONE,
    ),
    "inference_worst": Definition(
        _INFERENCE,
        said(
            "how much oftener the nearest avatar tells a column of a member than of somebody else, worst of the columns"
        ),
        _HOLDS_ALL_BUT_ONE,
    ),
    "singling_out": Definition(
        _SINGLING_OUT,
        said("how much oftener combinations of cells of one avatar fit exactly one member than exactly one other"),
        _LOOKS_FOR_ONE,
    ),
    "singling_out_values": Definition(
        _SINGLING_OUT,
        said(
            "how much oftener single values and extremes of the avatars fit exactly one member than exactly one other"
        ),
        _LOOKS_FOR_ONE,
    ),
    "copies": Definition(
        _COPIES,
        said("share of avatars equal to a member's record, beyond that of fresh people equal to one"),
        _TAKES_ROWS,
    ),
    "unique_copies": Definition(
        _COPIES,
        said("share of the members with a record of their own that is in the release, beyond that of others"),
        _TAKES_ROWS,
    ),
    "distance_ratio": Definition(
        _DISTANCES,
        said("median distance of avatars to the closest member, over that of fresh people; about 1 or more"),
        said("nobody's figure: shown, and decides nothing"),
    ),
    "bivariate_accuracy": Definition(
        _UTILITY, said("how well shares of pairs of columns are kept, from 0 to 1"), _NOBODY
    ),
    "association_difference": Definition(
        _UTILITY, said("by how many points of 100 associations of pairs of columns are off"), _NOBODY
    ),
}
