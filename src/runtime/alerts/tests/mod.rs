mod board;
mod spot;
