//! The code as a picture, for terminals that cannot show it, and for printing.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::Qr;

/// Modules of margin: a picture has room for what the standard asks for.
const QUIET_ZONE: usize = 4;
/// Pixels of a module; a multiple of eight bits makes rows of whole bytes.
const PIXELS: usize = 8;

impl Qr {
    /// The picture in black and white.
    ///
    /// # Errors
    /// If it cannot be encoded, which only a lack of memory causes.
    pub fn png(&self) -> Result<Zeroizing<Vec<u8>>, png::EncodingError> {
        let modules = self.light_modules(QUIET_ZONE);
        let side = u32::try_from(modules.len() * PIXELS).map_err(|_| png::EncodingError::LimitsExceeded)?;
        // One bit a pixel: a byte is one row of one module.
        let row_bytes = |row: &Vec<bool>| row.iter().map(|light| if *light { 0xff } else { 0 }).collect::<Vec<u8>>();
        let pixels: Vec<u8> = modules.iter().flat_map(|row| row_bytes(row).repeat(PIXELS)).collect();
        let pixels = Zeroizing::new(pixels);
        let mut file = Zeroizing::new(Vec::new());
        let mut encoder = png::Encoder::new(&mut *file, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(file)
    }

    /// The picture as vectors: one path of all dark modules, run by run.
    #[must_use]
    pub fn svg(&self) -> Zeroizing<String> {
        let modules = self.light_modules(QUIET_ZONE);
        let side = modules.len();
        let mut svg = Zeroizing::new(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{0}\" viewBox=\"0 0 {side} {side}\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"",
            side * PIXELS
        ));
        for (row, lights) in modules.iter().enumerate() {
            let mut column = 0;
            for run in lights.chunk_by(PartialEq::eq) {
                if run.first() == Some(&false) {
                    // Writing to a string cannot fail.
                    let _ = write!(svg, "M{column} {row}h{0}v1h-{0}z", run.len());
                }
                column += run.len();
            }
        }
        svg.push_str("\"/></svg>\n");
        svg
    }
}
