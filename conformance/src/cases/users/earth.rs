//! The suite's own reckoning of places and distances, by the formulas of USR-9 to USR-11.

use std::fmt;

use serde_json::{Value, json};

/// The radius of the sphere, in metres. (USR-10)
const RADIUS_M: f64 = 6_371_008.8;
/// The most decimals of a number in `near`. (USR-7)
const DECIMALS: usize = 12;

/// A place on the earth, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub lat: f64,
    pub lon: f64,
}

/// As `near` names it. (USR-7)
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.DECIMALS$},{:.DECIMALS$}", self.lat, self.lon)
    }
}

impl Place {
    /// A place, its numbers rounded to what `near` can say.
    pub fn new(lat: f64, lon: f64) -> Self {
        Self { lat: plain(lat), lon: plain(lon) }
    }

    /// Any place, not close to the poles and the antimeridian.
    pub fn somewhere() -> Self {
        Self::new(rand::random_range(-75.0..75.0), rand::random_range(-170.0..170.0))
    }

    /// As a profile holds it. (USR-6)
    pub fn as_location(self) -> Value {
        json!({ "lat": self.lat, "lon": self.lon })
    }

    /// The point of the grid that stands for it. (USR-9)
    pub fn snapped(self) -> Self {
        let row = ((self.lat + 90.0) / 0.0045 + 0.5).floor();
        let lat = 0.0045 * row - 90.0;
        let columns = (80_000.0 * lat.to_radians().cos() + 0.5).floor().max(1.0);
        let column = ((self.lon + 180.0) / 360.0 * columns).floor() % columns;
        Self { lat, lon: 360.0 * (column + 0.5) / columns - 180.0 }
    }

    /// The distance along a great circle, in metres. (USR-10)
    pub fn metres_to(self, other: Self) -> f64 {
        let (from, to) = (self.lat.to_radians(), other.lat.to_radians());
        let turn = (other.lon - self.lon).to_radians();
        // By the arc tangent, which is exact for short ways and for long ones.
        let across = to.cos() * turn.sin();
        let along = from.cos() * to.sin() - from.sin() * to.cos() * turn.cos();
        let down = from.sin() * to.sin() + from.cos() * to.cos() * turn.cos();
        RADIUS_M * across.hypot(along).atan2(down)
    }

    /// The place so many metres away in a direction, in degrees from north over east.
    pub fn going(self, metres: f64, direction: f64) -> Self {
        let (angle, direction) = (metres / RADIUS_M, direction.to_radians());
        let lat = self.lat.to_radians();
        let to = (lat.sin() * angle.cos() + lat.cos() * angle.sin() * direction.cos()).asin();
        let turn = (direction.sin() * angle.sin() * lat.cos()).atan2(angle.cos() - lat.sin() * to.sin()).to_degrees();
        let lon = (self.lon + turn + 540.0).rem_euclid(360.0) - 180.0;
        Self::new(to.to_degrees().clamp(-90.0, 90.0), lon)
    }
}

fn plain(degrees: f64) -> f64 {
    // A zero has no sign.
    format!("{degrees:.DECIMALS$}").parse::<f64>().unwrap_or_default() + 0.0
}

/// `distance_m` of a distance. (USR-11)
pub fn rounded(metres: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a distance on the earth is positive")]
    let hundreds = (metres / 100.0 + 0.5).floor() as u64;
    hundreds * 100
}

/// Whether another way of reckoning, with other errors in the last places, rounds to the same.
pub fn is_clear(metres: f64) -> bool {
    ((metres / 100.0).fract() - 0.5).abs() > 0.001
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_is_as_long_as_it_should_be() {
        let degree = RADIUS_M.mul_add(std::f64::consts::PI / 180.0, 0.0);
        for (one, other) in [
            (Place::new(0.0, 0.0), Place::new(1.0, 0.0)),
            (Place::new(0.0, 179.5), Place::new(0.0, -179.5)),
            (Place::new(89.5, 20.0), Place::new(89.5, -160.0)),
        ] {
            assert!((one.metres_to(other) - degree).abs() < 0.001, "{one} {other}");
        }
        let half = Place::new(0.0, 0.0).metres_to(Place::new(0.0, 180.0));
        assert!((half - RADIUS_M * std::f64::consts::PI).abs() < 0.001);
    }

    #[test]
    fn one_goes_as_far_as_one_says() {
        for lat in [-89.9, -41.0, 0.0, 66.6, 89.99] {
            for direction in [0.0, 77.0, 180.0, 271.0] {
                let from = Place::new(lat, 179.9);
                let to = from.going(7_321.0, direction);
                assert!((from.metres_to(to) - 7_321.0).abs() < 0.01, "{from} {to}");
            }
        }
    }

    #[test]
    fn a_grid_point_is_close_and_stands_for_itself() {
        for _ in 0..1000 {
            let place = Place::new(rand::random_range(-90.0..=90.0), rand::random_range(-180.0..=180.0));
            let point = place.snapped();
            assert!(place.metres_to(point) < 360.0, "{place}");
            assert!(point.metres_to(Place::new(point.lat, point.lon).snapped()) < 0.001, "{place}");
        }
    }

    #[test]
    fn each_pole_and_the_antimeridian_are_one() {
        for lat in [90.0, -90.0] {
            assert_eq!(Place::new(lat, 17.0).snapped(), Place::new(lat, -120.0).snapped());
        }
        assert_eq!(Place::new(12.0, 180.0).snapped(), Place::new(12.0, -180.0).snapped());
    }

    #[test]
    fn halves_are_rounded_up() {
        assert_eq!([49.9, 50.0, 149.9, 150.0].map(rounded), [0, 100, 100, 200]);
        assert!(is_clear(49.0) && !is_clear(50.01));
    }

    #[test]
    fn a_place_is_named_without_exponent() {
        assert_eq!(Place::new(1e-7, -0.0).to_string(), "0.000000100000,0.000000000000");
    }
}
