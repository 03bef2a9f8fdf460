"""What watches over the whole account: guards and risk modes."""
