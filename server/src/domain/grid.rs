//! Where users are, as precisely as others may know: the published grid. (USR-9 to USR-11)

use i9chat_spec::{Latitude, Location, Longitude};

/// The radius of the earth as a sphere, in metres. (USR-10)
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;
/// The height of a row of the grid, in degrees.
const ROW_DEGREES: f64 = 0.0045;
/// The points of the row at the equator.
const EQUATOR_POINTS: f64 = 80_000.0;
/// Distances are told in multiples of this, in metres. (USR-11)
const ROUNDED_TO_M: f64 = 100.0;
/// Rows and columns share a number: the row stands above this many bits.
const COLUMN_BITS: u32 = 17;

/// A point of the grid, as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(pub i64);

/// A point on the sphere in radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    lat: f64,
    lon: f64,
}

/// A point in space: from the centre of the earth, in centimetres.
pub type Space = [i32; 3];

#[expect(
    clippy::cast_possible_truncation,
    reason = "rows, columns, centimetres and metres of the earth are far inside the bounds of integers"
)]
const fn whole(number: f64) -> i64 {
    number as i64
}

impl Cell {
    /// The point that a location is snapped to. (USR-9)
    pub fn of(location: Location) -> Self {
        let row = ((location.lat.degrees() + 90.0) / ROW_DEGREES + 0.5).floor();
        let points = points_of_row(row);
        let column = ((location.lon.degrees() + 180.0) / 360.0 * points).floor() % points;
        Self(whole(row) << COLUMN_BITS | whole(column))
    }

    /// Where the point is.
    #[expect(clippy::cast_precision_loss, reason = "rows and columns are small numbers")]
    pub fn point(self) -> Point {
        let (row, column) = ((self.0 >> COLUMN_BITS) as f64, (self.0 & ((1 << COLUMN_BITS) - 1)) as f64);
        let lon = 360.0 * (column + 0.5) / points_of_row(row) - 180.0;
        Point { lat: latitude_of_row(row).to_radians(), lon: lon.to_radians() }
    }
}

fn latitude_of_row(row: f64) -> f64 {
    ROW_DEGREES * row - 90.0
}

/// Fewer towards the poles, so that they are as far apart as anywhere; a pole is one point.
fn points_of_row(row: f64) -> f64 {
    (EQUATOR_POINTS * latitude_of_row(row).to_radians().cos() + 0.5).floor().max(1.0)
}

impl From<Location> for Point {
    fn from(Location { lat, lon }: Location) -> Self {
        Self { lat: Latitude::degrees(lat).to_radians(), lon: Longitude::degrees(lon).to_radians() }
    }
}

impl Point {
    /// The distance along a great circle, in metres. (USR-10)
    pub fn distance_m(self, other: Self) -> f64 {
        let half = |one: f64, other: f64| ((other - one) / 2.0).sin().powi(2);
        let across = half(self.lat, other.lat) + self.lat.cos() * other.lat.cos() * half(self.lon, other.lon);
        2.0 * EARTH_RADIUS_M * across.sqrt().min(1.0).asin()
    }

    /// Where the point is in space.
    #[expect(clippy::cast_possible_truncation, reason = "the radius of the earth in centimetres is below 2^31")]
    pub fn space(self) -> Space {
        let radius = EARTH_RADIUS_M * 100.0;
        let (sin_lat, cos_lat) = self.lat.sin_cos();
        let (sin_lon, cos_lon) = self.lon.sin_cos();
        [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat].map(|part| (part * radius).round() as i32)
    }
}

/// A distance as it is told, in metres. (USR-11)
#[expect(clippy::cast_sign_loss, reason = "no distance is negative")]
pub fn rounded_m(distance_m: f64) -> u64 {
    whole((distance_m / ROUNDED_TO_M + 0.5).floor() * ROUNDED_TO_M) as u64
}

/// The straight line through the earth that belongs to a distance on it, both in metres.
pub fn chord_m(distance_m: f64) -> f64 {
    2.0 * EARTH_RADIUS_M * (distance_m / (2.0 * EARTH_RADIUS_M)).sin()
}

/// The distance on the earth that belongs to a straight line through it, both in metres.
pub fn arc_m(chord_m: f64) -> f64 {
    2.0 * EARTH_RADIUS_M * (chord_m / (2.0 * EARTH_RADIUS_M)).min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> Location {
        Location { lat: lat.try_into().unwrap(), lon: lon.try_into().unwrap() }
    }

    fn snapped(lat: f64, lon: f64) -> Point {
        Cell::of(at(lat, lon)).point()
    }

    #[test]
    fn a_pole_is_one_point_and_the_antimeridian_is_no_border() {
        for lon in [-180.0, -90.0, 0.0, 12.3, 180.0] {
            assert_eq!(Cell::of(at(90.0, lon)), Cell::of(at(90.0, 0.0)));
            assert_eq!(Cell::of(at(-90.0, lon)), Cell::of(at(-90.0, 0.0)));
        }
        assert!(snapped(90.0, 0.0).distance_m(at(90.0, 0.0).into()) < 0.001);
        assert_eq!(Cell::of(at(10.0, 180.0)), Cell::of(at(10.0, -180.0)));
        let (west, east) = (Point::from(at(0.0, 179.999)), Point::from(at(0.0, -179.999)));
        assert!((west.distance_m(east) - 222.39).abs() < 0.01, "{}", west.distance_m(east));
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        let quarter = std::f64::consts::FRAC_PI_2 * EARTH_RADIUS_M;
        let from = |lat, lon| Point::from(at(lat, lon));
        assert!((from(0.0, 0.0).distance_m(from(0.0, 90.0)) - quarter).abs() < 0.001);
        assert!((from(90.0, 10.0).distance_m(from(0.0, 77.0)) - quarter).abs() < 0.001);
        assert!((from(45.0, 0.0).distance_m(from(-45.0, 180.0)) - 2.0 * quarter).abs() < 0.1);
        assert!(from(41.3275, 19.8187).distance_m(from(41.3275, 19.8187)) < 0.001);
    }

    #[test]
    fn a_distance_is_told_to_the_nearest_hundred() {
        let told = [0.0, 49.9, 50.0, 149.9, 150.0, 1234.0].map(rounded_m);
        assert_eq!(told, [0, 0, 100, 100, 200, 1200]);
    }

    proptest! {
        #[test]
        fn a_snapped_point_is_near_and_stays_where_it_is(lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64) {
            let (cell, point) = (Cell::of(at(lat, lon)), snapped(lat, lon));
            // Half the diagonal of the largest cells, which are the three-cornered ones next to a pole.
            prop_assert!(point.distance_m(at(lat, lon).into()) < 420.0);
            let again = at(point.lat.to_degrees().clamp(-90.0, 90.0), point.lon.to_degrees());
            prop_assert_eq!(Cell::of(again), cell);
        }

        #[test]
        fn space_and_sphere_agree(
            lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64, north in -90.0..=90.0_f64, east in -180.0..=180.0_f64,
        ) {
            let (one, other) = (Point::from(at(lat, lon)), Point::from(at(north, east)));
            let square: f64 = one.space().iter().zip(other.space()).map(|(a, b)| (f64::from(*a) - f64::from(b)).powi(2)).sum();
            let distance = one.distance_m(other);
            prop_assert!((chord_m(distance) - square.sqrt() / 100.0).abs() < 0.1);
            prop_assert!(distance > 19_000_000.0 || (arc_m(chord_m(distance)) - distance).abs() < 0.1);
        }
    }
}
