"""Who will not come back, and which booked slots will fall through: probabilities from histories.

Frames in, frames out. No database, no clock: ``as_of`` is an argument, and what came after it is never looked at.
"""

from scoring.booking_model import BookingModel, booking_risk, fit_booking_model, make_prior_booking_model
from scoring.bookings import booking_features
from scoring.churn import ChurnModel, churn_probability, fit_churn_model, make_prior_model
from scoring.errors import FrameError, ModelError
from scoring.selection import Selection, select_booking_model, select_churn_model
from scoring.steps import step_churn_risk

__all__ = [
    "BookingModel",
    "ChurnModel",
    "FrameError",
    "ModelError",
    "Selection",
    "booking_features",
    "booking_risk",
    "churn_probability",
    "fit_booking_model",
    "fit_churn_model",
    "make_prior_booking_model",
    "make_prior_model",
    "select_booking_model",
    "select_churn_model",
    "step_churn_risk",
]
