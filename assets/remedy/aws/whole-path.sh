case $KEY_FILE in
/*) ;;
*) KEY_FILE=$(pwd)/$KEY_FILE ;;
esac
