mod board;
mod outcome;
mod spot;
