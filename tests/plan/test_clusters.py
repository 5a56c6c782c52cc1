"""Clusters by gaps: the fewest, none too wide, and the widest gaps between them."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from calibrary.config.model import ExposureTolerance
from calibrary.plan.clusters import exposure_limit, label, partition, temperature_limit, to_micro

VALUES = st.lists(st.integers(-60, 60), min_size=1, max_size=9, unique=True).map(sorted)


def brute_force(values: list[int], limit: int) -> tuple[int, int]:
    """Fewest clusters, and the greatest sum of gaps between them, by trying all cuts."""
    best = (len(values) + 1, 0)
    for n in range(len(values)):
        for cuts in combinations(range(1, len(values)), n):
            edges = [0, *cuts, len(values)]
            parts = [values[a:b] for a, b in pairwise(edges)]
            if all(part[-1] - part[0] <= limit for part in parts):
                gaps = sum(values[c] - values[c - 1] for c in cuts)
                best = min(best, (len(parts), -gaps))
    return best


@given(VALUES, st.integers(1, 40))
def test_partition_is_the_best_of_all(values, limit):
    clusters = partition(values, lambda _: limit)
    gaps = sum(b[0] - a[1] for a, b in pairwise(clusters))
    assert (len(clusters), -gaps) == brute_force(values, limit)
    assert all(last - first <= limit for first, last in clusters)
    assert [v for first, last in clusters for v in values if first <= v <= last] == values


@given(VALUES, st.integers(1, 40), st.data())
def test_a_value_inside_a_cluster_moves_no_cluster(values, limit, data):
    clusters = partition(values, lambda _: limit)
    first, last = data.draw(st.sampled_from(clusters))
    added = sorted({*values, data.draw(st.integers(first, last))})
    assert partition(added, lambda _: limit) == clusters


@given(st.lists(st.none() | st.integers(-50, 50)), st.integers(1, 20), st.randoms())
def test_labels_do_not_depend_on_the_order(values, limit, random):
    labels = dict(zip(values, label(values, lambda _: limit), strict=True))
    shuffled = list(values)
    random.shuffle(shuffled)
    assert dict(zip(shuffled, label(shuffled, lambda _: limit), strict=True)) == labels
    assert labels.get(None) is None


def test_neighbours_across_a_rounding_edge_stay_together():
    temps = [to_micro(t) for t in (-10.04, -10.06)]
    assert len(set(label(temps, temperature_limit(1)))) == 1


def test_a_chain_of_small_steps_does_not_drift():
    temps = [to_micro(-10 + 0.5 * k) for k in range(11)]
    labels = label(temps, temperature_limit(1))
    for one in set(labels):
        members = [t for t, of in zip(temps, labels, strict=True) if of == one]
        assert max(members) - min(members) <= to_micro(1)


def test_exposures_are_equal_within_the_larger_tolerance():
    limit = exposure_limit(ExposureTolerance(seconds=0.001, fraction=0.001))
    same = [(0.5, 0.500001), (0.5, 0.501), (29.999999, 30.0), (300.0, 300.2), (0.0099999998, 0.01)]
    other = [(0.5, 0.502), (300.0, 300.5), (1.0, 1.01)]
    for pair, n in [(p, 1) for p in same] + [(p, 2) for p in other]:
        assert len(set(label([to_micro(s) for s in pair], limit))) == n, pair
