"""Zero seconds in every frame of a camera: the driver does not tell exposures."""

from calibrary.manifest.exposures import doubt_zeros
from calibrary.records import Frame, FrameType, Status


def frame(kind, seconds, camera="A", **values):
    return Frame("/x.fits", frame_type=FrameType(kind), exposure_s=seconds, camera=camera, **values)


def test_darks_of_a_camera_that_says_nothing_but_zero_are_of_unknown_exposure():
    dark, bias, other = doubt_zeros(
        [frame("dark", 0.0), frame("bias", 0.0), frame("flat", 2.0, camera="B")]
    )

    assert dark.exposure_s is None
    assert dark.status is Status.USED
    assert "as in every frame of this camera" in str(dark.reason)
    assert bias.exposure_s == 0.0
    assert other.exposure_s == 2.0


def test_a_dark_of_zero_seconds_beside_exposed_frames_is_what_it_says():
    frames = [frame("dark", 0.0), frame("flat", 2.0)]

    assert doubt_zeros(frames) == frames
